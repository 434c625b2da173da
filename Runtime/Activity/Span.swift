import FunctionCore

/// One piece of work of a trace.
package struct Span: Sendable, Hashable {
    /// OpenTelemetry's kinds, with their numbers.
    package enum Kind: Int, Sendable {
        case `internal` = 1
        case server, client, producer, consumer

        package var name: String {
            switch self {
            case .internal: "internal"
            case .server: "server"
            case .client: "client"
            case .producer: "producer"
            case .consumer: "consumer"
            }
        }
    }

    package enum Status: Sendable, Hashable {
        case ok
        /// The code of what went wrong.
        case error(String)
        /// A call whose invocation ended before its answer.
        case unanswered
    }

    package var place: SpanPlace
    package var name: String
    package var kind: Kind
    package var function: String
    /// On the real monotonic clock of the host.
    package var start: Monotonic
    package var duration: Duration
    package var status: Status
    /// Whether its parent's time goes on until it has ended.
    package var isAwaited: Bool
    package var attributes: [SpanAttribute] = []

    package init(
        _ place: SpanPlace,
        _ name: String,
        _ kind: Kind = .internal,
        function: String,
        start: Monotonic,
        duration: Duration,
        status: Status = .ok,
        isAwaited: Bool = true
    ) {
        self.place = place
        self.name = name
        self.kind = kind
        self.function = function
        self.start = start
        self.duration = duration
        self.status = status
        self.isAwaited = isAwaited
    }

    package var id: UInt64 { place.span }
    package var end: Monotonic { start + duration }

    package subscript(name: String) -> JSON? { attributes.first { $0.name == name }?.value }
}
