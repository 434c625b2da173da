import FunctionCore

/// What is known of an `Idempotency-Key`.
package enum IdempotencyVerdict: Sendable {
    /// Nothing: go on.
    ///
    /// The key is held until `finish` or `abandon`.
    case proceed
    /// The request was answered before, with this.
    case replay(status: Int, headers: [Header], body: Bytes)
    /// The request is being answered.
    case inFlight
    /// The key belongs to another request.
    case mismatch
}

/// Keeps the answers to requests that carry an `Idempotency-Key`, so that a repeated request runs nothing
/// twice.
///
/// Keys of different functions and principals are different keys.
package protocol IdempotencyKeeping: Sendable {
    /// Looks a key up, and holds it where nothing is known of it.
    /// - Throws: `FunctionError`.
    func begin(
        function: String,
        principal: String?,
        key: String,
        requestHash: String
    ) async throws -> IdempotencyVerdict

    /// Stores the answer, always one below 500.
    ///
    /// It is given to the client after this has returned.
    func finish(
        function: String,
        principal: String?,
        key: String,
        requestHash: String,
        status: Int,
        headers: [Header],
        body: Bytes
    ) async

    /// Lets the key go: the request may be tried again.
    func abandon(function: String, principal: String?, key: String, requestHash: String) async
}
