import FunctionCore

/// On whose behalf a binding is called: what a service needs to check and to tell.
package struct CallOrigin: Sendable {
    /// The invocation's id; a job's id is the same.
    package var invocation: String
    package var function: String
    package var attempt: Int
    package var depth: Int
    package var principal: String?
    /// The call's own place in the trace.
    package var trace: TraceContext
    package var fencingToken: UInt64?
    /// When the invocation's time is over.
    package var deadline: Monotonic
    /// What a developer wants of the invocation beyond its reply.
    package var trial: Trial?
    /// What the service has to tell of the call.
    package let facts = CallFacts()

    package init(
        invocation: String,
        function: String,
        attempt: Int = 1,
        depth: Int = 0,
        principal: String? = nil,
        trace: TraceContext = .begin(),
        fencingToken: UInt64? = nil,
        deadline: Monotonic
    ) {
        self.invocation = invocation
        self.function = function
        self.attempt = attempt
        self.depth = depth
        self.principal = principal
        self.trace = trace
        self.fencingToken = fencingToken
        self.deadline = deadline
    }
}

/// One call that a service answers.
package struct BindingCall: Sendable {
    package var method: String
    /// A JSON object.
    package var arguments: Bytes
    package var body: Bytes
    package var origin: CallOrigin

    package init(method: String, arguments: Bytes, body: Bytes = Bytes(), origin: CallOrigin) {
        self.method = method
        self.arguments = arguments
        self.body = body
        self.origin = origin
    }

    /// The arguments as `type`.
    ///
    /// - Throws: `FunctionError` 422 naming the argument.
    package func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        do {
            return try JSONCoder.decode(type, from: arguments)
        } catch {
            throw FunctionError(status: 422, code: "invalid_arguments", message: "\(error)", retry: .never)
        }
    }

    /// The error for a method that the service does not have.
    package func unknownMethod(of binding: String) -> FunctionError {
        FunctionError(
            status: 501,
            code: "unknown_method",
            message: "the binding \(binding) has no method \(method); the bundle is newer than the host",
            retry: .never
        )
    }
}

/// Where a service's answer goes: one value, then any number of pieces.
///
/// `write` waits for the reader's credit.
package protocol BindingAnswering: Sendable {
    /// Sends the value, once, before any piece. A call that returns without it answers with `{}`.
    func send(_ value: Bytes) throws
    /// Sends a piece; throws `CancellationError` once the caller has gone.
    func write(_ piece: Bytes) async throws
}

extension BindingAnswering {
    /// Sends a value that is encoded as JSON.
    package func send(encoding value: some Encodable) throws {
        try send(JSONCoder.encode(value))
    }
}

/// Answers the calls of one binding, on threads of its own: it must block neither an event loop nor Swift's
/// pool.
///
/// The host has checked grant, fencing token and deadline before a call comes here. The task is cancelled
/// when the invocation ends or the worker dies.
package protocol BindingService: Sendable {
    /// The binding's name as a manifest grants it.
    var binding: String { get }
    /// Answers one call. - Throws: `FunctionError`; anything else is reported as `internal` without its text.
    func call(_ call: BindingCall, answer: any BindingAnswering) async throws
    /// The invocation is over, whatever came of it: let go of what it held. `final` tells whether another
    /// attempt follows.
    func invocationEnded(_ invocation: String, final: Bool) async
}

extension BindingService {
    package func invocationEnded(_ invocation: String, final: Bool) async {}
}

/// A clock that may be virtual, and the real one.
///
/// See "Two clocks" in the guide.
package protocol HostClock: Sendable {
    /// The wall clock.
    var now: Instant { get }
}
