import FunctionCore

/// One request to run a function, whatever asked for it.
///
/// The id stays over all attempts of a job.
package struct Invocation: Sendable {
    /// 24 lower-case letters and digits; see `InvocationID`.
    package var id: String
    /// The function's name.
    package var function: String
    /// What it is invoked with.
    package var event: Event
    /// From 1.
    package var attempt: Int
    /// How many functions stand above it in a chain of `invoke` calls.
    package var depth: Int
    /// Its place in the trace.
    package var trace: TraceContext
    /// The span that asked for it.
    package var parent: ParentSpan
    /// The places in their own traces of what it does at once, where these have no trace in common.
    package var members: [SpanPlace] = []
    /// Who asked.
    package var principal: String?
    /// The rotation's token, for a windowed function.
    package var fencingToken: UInt64?
    /// A limit shorter than the manifest's, such as what is left of a caller's own.
    package var timeout: Duration?
    /// What asked for it: `http`, `redis`, `schedule`, `job`, `invoke`.
    package var trigger: String
    /// JSON that a caller of the Lambda API sends along with the event, for Lambda runtimes.
    package var clientContext: String?
    /// What a developer wants of it beyond its reply.
    package var trial: Trial?

    package init(
        id: String = InvocationID.next(),
        function: String,
        event: Event,
        attempt: Int = 1,
        depth: Int = 0,
        trace: TraceContext = .begin(),
        parent: ParentSpan = ParentSpan(),
        principal: String? = nil,
        fencingToken: UInt64? = nil,
        timeout: Duration? = nil,
        trigger: String = "invoke"
    ) {
        self.id = id
        self.function = function
        self.event = event
        self.attempt = attempt
        self.depth = depth
        self.trace = trace
        self.parent = parent
        self.principal = principal
        self.fencingToken = fencingToken
        self.timeout = timeout
        self.trigger = trigger
    }
}
