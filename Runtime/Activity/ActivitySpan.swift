import FunctionCore

/// Something in a trace that is no attempt of an invocation: a job that was accepted, a schedule's time, an
/// event that was published, a delivery.
package struct ActivitySpan: Sendable {
    package var place: SpanPlace
    package var name: String
    package var kind: Span.Kind
    /// Whose it is.
    package var function: String
    /// On the host's wall clock.
    package var began: Instant
    package var start: Monotonic
    package var duration: Duration
    /// The code of what went wrong.
    package var error: String?
    package var attributes: [SpanAttribute]

    package init(
        _ place: SpanPlace,
        _ name: String,
        _ kind: Span.Kind,
        function: String,
        began: Instant,
        start: Monotonic,
        duration: Duration,
        error: String? = nil,
        attributes: [SpanAttribute] = []
    ) {
        self.place = place
        self.name = name
        self.kind = kind
        self.function = function
        self.began = began
        self.start = start
        self.duration = duration
        self.error = error
        self.attributes = attributes
    }

    var span: Span {
        var span = Span(
            place,
            name,
            kind,
            function: function,
            start: start,
            duration: duration,
            status: error.map { .error($0) } ?? .ok,
            isAwaited: false
        )
        span.attributes = attributes
        return span
    }
}
