import FunctionCore
import Synchronization

/// A world in memory that answers a function's bindings, in the place of a host.
///
/// Users, documents, blobs and state work as they should; text, connections, fetch and invoke answer what a test
/// scripts; and everything that was called, emitted or reported is kept for the test to look at. `on` replaces
/// the answer of any `binding.method`, also to make it fail. What nobody answers throws `unknown_method`.
///
/// Threading: any.
public final class FakeBindings: BindingCaller {
    /// Answers one call.
    public typealias Answer = @Sendable (BindingRequest) async throws -> BindingReply

    let world: Mutex<FakeWorld>

    /// A world whose clock stands at `now`, until a test moves it.
    ///
    /// `grants` are what `bindings:` of the manifest names; others throw `binding_not_granted`. Without it all
    /// are granted.
    public init(now: Instant = FakeBindings.usualNow, grants: Set<String>? = nil) {
        world = Mutex(FakeWorld(now: now, grants: grants))
    }

    /// Replaces the answer of `name`, such as `users.write`, by a closure over raw bytes.
    public func on(_ name: String, _ answer: @escaping Answer) {
        world.withLock { $0.answers[name] = answer }
    }

    /// Replaces the answer of `name` by a closure over the decoded argument; its result is encoded.
    public func on<Argument: Decodable & Sendable>(
        _ name: String,
        _ type: Argument.Type,
        _ answer: @escaping @Sendable (Argument) async throws -> some Encodable & Sendable
    ) {
        on(name) { request in
            let argument = try JSONCoder.decode(type, from: request.arguments)
            return BindingReply(value: try JSONCoder.encode(try await answer(argument)))
        }
    }

    /// Where a world's clock stands if nobody says otherwise: 2026-11-18T12:00:00Z, a Wednesday.
    public static let usualNow = Instant(seconds: 1_795_003_200)

    /// Lets `name` throw.
    public func fail(_ name: String, with error: FunctionError) {
        on(name) { _ in throw error }
    }

    /// Gives `name` its own answer back.
    public func restore(_ name: String) {
        world.withLock { $0.answers[name] = nil }
    }

    /// Lets `name` give these answers, one a call, as a recording of a provider would.
    /// - Throws: to the function, once they are used up: `script_ended`.
    public func script(_ name: String, _ answers: [Result<JSON, FunctionError>]) {
        let rest = Mutex(answers[...])
        on(name) { _ in
            guard let next = rest.withLock({ $0.popFirst() }) else {
                let message =
                    "\(name) was called more often than the \(answers.count) times that are scripted"
                throw FunctionError(code: "script_ended", message: message)
            }
            return BindingReply(value: try next.get().bytes())
        }
    }

    /// Answers one call of a function; every call is kept in `calls` first.
    public func call(_ request: BindingRequest) async throws -> BindingReply {
        try await call(request, by: "")
    }

    func call(_ request: BindingRequest, by invocation: String) async throws -> BindingReply {
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
                message:
                    "the function's bindings: do not name `\(request.binding)`; add it to function.yaml, and "
                    + "to the test's grants",
                retry: .never
            )
        }
        if let answer { return try await answer(request) }
        switch request.binding {
        case "users": return try users(request)
        case "documents": return try await documents(request, by: invocation)
        case "blobs": return try blobs(request)
        case "state": return try state(request)
        case "text": return try await text(request)
        case "images": return try await images(request)
        case "speech": return try speech(request)
        case "render": return try render(request)
        case "connections": return try connections(request)
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
    public var calls: [FakeCall] { world.withLock { $0.calls } }

    /// The calls of one `binding.method`.
    public func calls(_ name: String) -> [FakeCall] { calls.filter { $0.name == name } }

    /// What was emitted, with or without user data, in its order; an id is kept once.
    public var events: [OutgoingEvent] { world.withLock { $0.events } }

    /// What was reported to the job.
    public var reports: [ProgressReport] { world.withLock { $0.reports } }

    /// The wall clock.
    public var now: Instant { world.withLock { $0.now } }

    /// Sets the wall clock forward.
    public func advance(_ duration: Duration) {
        world.withLock { $0.now = $0.now + duration }
    }

    /// Sets the wall clock, forward or back.
    public func set(_ now: Instant) {
        world.withLock { $0.now = now }
    }

    /// A context for one invocation in this world.
    public func context(
        _ function: String,
        invocation: String = "inv1",
        attempt: Int = 1,
        principal: String? = nil,
        fencingToken: UInt64? = nil,
        environment: [String: String] = [:],
        remaining: Duration = .seconds(300),
        log: Logger = Logger { _, _, _ in },
        cancelled: @escaping @Sendable () -> Bool = { false }
    ) -> Context {
        Context(
            invocation: invocation,
            function: function,
            attempt: attempt,
            principal: principal,
            fencingToken: fencingToken,
            environment: environment,
            log: log,
            bindings: Bindings(InvocationCaller(world: self, invocation: invocation)),
            deadline: Monotonic.now + remaining,
            clock: { self.now },
            cancelled: cancelled
        )
    }
}

/// The calls of one invocation, which holds the claims that it makes.
private struct InvocationCaller: BindingCaller {
    let world: FakeBindings
    let invocation: String

    func call(_ request: BindingRequest) async throws -> BindingReply {
        try await world.call(request, by: invocation)
    }
}

/// One call that a function made.
public struct FakeCall: Sendable {
    /// `binding.method`.
    public var name: String
    /// The arguments.
    public var arguments: JSON
    /// The bytes that went along, such as a file's.
    public var body: Bytes
}

/// All that a `FakeBindings` remembers.
struct FakeWorld {
    /// A stored file.
    struct Blob {
        var bytes: Bytes
        var contentType: String
    }

    /// An invocation that waits for a claim.
    struct Waiter {
        var invocation: String
        var continuation: CheckedContinuation<Document?, Never>
    }

    /// A claim on a document: an invocation holds it, and these wait for it.
    struct Claim {
        var holder: String
        var waiting: [Waiter] = []
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
    /// Open WebSocket connections, and what was sent to each.
    var messages: [String: [Bytes]] = [:]
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
