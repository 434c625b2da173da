import FunctionCore
import Synchronization

/// A world in memory that answers a function's bindings: users, documents, blobs and state work as they
/// should, models answer what a test scripts, and everything that was called, emitted or reported is kept for
/// the test to look at.
///
/// `on` replaces the answer of any `binding.method`, also to make it fail. What nobody answers throws
/// `unknown_method`.
package final class FakeBindings: BindingCaller {
    /// Answers one call.
    package typealias Answer = @Sendable (BindingRequest) async throws -> BindingReply

    let world: Mutex<FakeWorld>

    /// A world whose clock stands at `now`; with `grants`, other bindings throw `binding_not_granted`.
    package init(now: Instant = Instant(seconds: 1_795_003_200), grants: Set<String>? = nil) {
        world = Mutex(FakeWorld(now: now, grants: grants))
    }

    /// Replaces the answer of `name`, such as `users.write`, by a closure over raw bytes.
    package func on(_ name: String, _ answer: @escaping Answer) {
        world.withLock { $0.answers[name] = answer }
    }

    /// Replaces the answer of `name` by a closure over the decoded argument; its result is encoded.
    package func on<Argument: Decodable & Sendable>(
        _ name: String,
        _ type: Argument.Type,
        _ answer: @escaping @Sendable (Argument) async throws -> some Encodable & Sendable
    ) {
        on(name) { request in
            let argument = try JSONCoder.decode(type, from: request.arguments)
            return BindingReply(value: try JSONCoder.encode(try await answer(argument)))
        }
    }

    /// Lets `name` throw.
    package func fail(_ name: String, with error: FunctionError) {
        on(name) { _ in throw error }
    }

    /// Gives `name` its own answer back.
    package func restore(_ name: String) {
        world.withLock { $0.answers[name] = nil }
    }

    package func call(_ request: BindingRequest) async throws -> BindingReply {
        let name = "\(request.binding).\(request.method)"
        let arguments = try JSON.parse(request.arguments)
        let (granted, answer) = world.withLock { world in
            world.calls.append(FakeCall(name: name, arguments: arguments, body: request.body))
            return (world.grants?.contains(request.binding) ?? true, world.answers[name])
        }
        guard granted else {
            throw FunctionError(
                status: 403,
                code: "binding_not_granted",
                message: "bindings: does not grant \(request.binding)"
            )
        }
        if let answer { return try await answer(request) }
        switch request.binding {
        case "users": return try users(request)
        case "documents": return try await documents(request)
        case "blobs": return try blobs(request)
        case "state": return try state(request)
        case "text": return try await text(request)
        case "images": return try await images(request)
        case "speech": return try speech(request)
        case "render": return try render(request)
        case "emit":
            let event = try JSONCoder.decode(OutgoingEvent.self, from: request.arguments)
            world.withLock { $0.events.append(event) }
            return BindingReply(value: "{}")
        case "progress":
            let report = try JSONCoder.decode(ProgressReport.self, from: request.arguments)
            world.withLock { $0.reports.append(report) }
            return BindingReply(value: "{}")
        default: throw FakeBindings.unknown(request)
        }
    }

    static func unknown(_ request: BindingRequest) -> FunctionError {
        let name = "\(request.binding).\(request.method)"
        return FunctionError(
            status: 501,
            code: "unknown_method",
            message: "no answer is scripted for \(name)"
        )
    }

    static func reply(_ value: some Encodable) throws -> BindingReply {
        BindingReply(value: try JSONCoder.encode(value))
    }
}

// MARK: - What a test sees

extension FakeBindings {
    /// All calls in their order.
    package var calls: [FakeCall] { world.withLock { $0.calls } }

    /// The calls of one `binding.method`.
    package func calls(_ name: String) -> [FakeCall] { calls.filter { $0.name == name } }

    /// What was emitted, with or without user data, in its order; an id is kept once.
    package var events: [OutgoingEvent] { world.withLock { $0.events } }

    /// What was reported to the job.
    package var reports: [ProgressReport] { world.withLock { $0.reports } }

    /// The wall clock.
    package var now: Instant { world.withLock { $0.now } }

    /// Sets the wall clock forward.
    package func advance(_ duration: Duration) {
        world.withLock { $0.now = $0.now + duration }
    }

    /// A context for one invocation in this world.
    package func context(
        _ function: String,
        invocation: String = "inv1",
        attempt: Int = 1,
        principal: String? = nil,
        fencingToken: UInt64? = nil,
        environment: [String: String] = [:],
        remaining: Duration = .seconds(300)
    ) -> Context {
        Context(
            invocation: invocation,
            function: function,
            attempt: attempt,
            principal: principal,
            fencingToken: fencingToken,
            environment: environment,
            bindings: Bindings(self),
            deadline: Monotonic.now + remaining,
            clock: { self.now }
        )
    }
}

/// One call that a function made.
package struct FakeCall: Sendable {
    /// `binding.method`.
    package var name: String
    package var arguments: JSON
    package var body: Bytes
}

/// All that a `FakeBindings` remembers.
struct FakeWorld {
    /// A stored file.
    struct Blob {
        var bytes: Bytes
        var contentType: String
    }

    /// A claim on a document: it is held, and these wait for it.
    struct Claim {
        var waiting: [CheckedContinuation<Document?, Never>] = []
    }

    var now: Instant
    var grants: Set<String>?
    var answers: [String: FakeBindings.Answer] = [:]
    var calls: [FakeCall] = []
    var events: [OutgoingEvent] = []
    var reports: [ProgressReport] = []

    var users: [Int: [UserRecord]] = [:]
    var documents: [String: [Document]] = [:]
    var claims: [String: Claim] = [:]
    var blobs: [String: Blob] = [:]
    var strings: [String: String] = [:]
    var hashes: [String: [String: String]] = [:]
    var lists: [String: [String]] = [:]

    var completions = 0
    var complete: (@Sendable (CompletionRequest, Int) async throws -> Completion)?
    var picture: (@Sendable (ImageRequest) async throws -> (ImageInfo, Bytes))?
    /// How much slower than asked the fake voice speaks.
    var drawl = 1.0

    init(now: Instant, grants: Set<String>?) {
        self.now = now
        self.grants = grants
    }
}
