/// What a handler knows about the invocation it serves.
public struct Context: Sendable {
    /// The invocation's id; the same in every log line, header and error that belongs to it.
    public var invocation: String
    /// The function's name.
    public var function: String
    /// Which attempt this is, from 1.
    public var attempt: Int
    /// How many functions stand above this one in a chain of `invoke` calls; the host refuses more than 16.
    public var depth: Int
    /// The trace to which the work belongs.
    public var trace: TraceContext
    /// Who asked, where the trigger authenticated somebody.
    public var principal: String?
    /// The rotation's token under which a windowed function runs; the host checks it at each call.
    public var fencingToken: UInt64?
    /// Settings that the manifest's `environment:` grants.
    public var environment: [String: String]
    /// A logger bound to the invocation.
    public var log: Logger
    /// The world, as far as the manifest grants it.
    public var bindings: Bindings
    /// The CloudEvent whose data are a typed function's input; nil where none came.
    public var cloudEvent: CloudEvent? {
        get { carried?.event }
        set { carried = newValue.map(CarriedEvent.init) }
    }
    /// Random numbers, which a replay of the invocation repeats.
    public var random: InvocationRandom
    // Behind a reference: every invocation has a context, and few have an event.
    private var carried: CarriedEvent?
    private var deadline: Monotonic
    private var clock: @Sendable () -> Instant
    private var cancelled: @Sendable () -> Bool

    /// A context; made by the worker, and by tests.
    public init(
        invocation: String,
        function: String,
        attempt: Int = 1,
        depth: Int = 0,
        trace: TraceContext = .begin(),
        principal: String? = nil,
        fencingToken: UInt64? = nil,
        environment: [String: String] = [:],
        log: Logger = Logger { _, _, _ in },
        bindings: Bindings,
        random: InvocationRandom = InvocationRandom(seed: .random(in: 0 ... .max)),
        deadline: Monotonic,
        clock: @escaping @Sendable () -> Instant,
        cancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.invocation = invocation
        self.function = function
        self.attempt = attempt
        self.depth = depth
        self.trace = trace
        self.principal = principal
        self.fencingToken = fencingToken
        self.environment = environment
        self.log = log
        self.bindings = bindings
        self.random = random
        self.deadline = deadline
        self.clock = clock
        self.cancelled = cancelled
    }

    /// The wall clock, which on a development host may be virtual.
    public var now: Instant { clock() }

    /// How long the invocation may still run, on the real clock; zero when its time is over.
    public var remaining: Duration {
        max(.zero, deadline - Monotonic.now)
    }

    /// Whether the host has asked the invocation to stop.
    ///
    /// Async handlers see the task's cancellation as well.
    public var isCancelled: Bool { cancelled() }
}

private final class CarriedEvent: Sendable {
    let event: CloudEvent

    init(_ event: CloudEvent) {
        self.event = event
    }
}
