import Invocations

/// Takes invocations on as jobs: writes them down before it returns, so that what was accepted is not lost.
package protocol JobAccepting: Sendable {
    /// Accepts an invocation, or finds the job that the same key and request made before.
    /// - Throws: `FunctionError`, which the client gets with its status; anything else becomes 500
    ///   `internal`.
    func accept(
        _ invocation: Invocation,
        idempotencyKey: String?,
        requestHash: String
    ) async throws -> AcceptedJob
}

/// A job as its caller is told of it.
package struct AcceptedJob: Sendable, Hashable {
    package var id: String
    /// Whether it was there already, made by an earlier request with the same key.
    package var replayed: Bool

    package init(id: String, replayed: Bool = false) {
        self.id = id
        self.replayed = replayed
    }
}
