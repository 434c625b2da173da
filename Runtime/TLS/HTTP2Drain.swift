/// Decides how an HTTP/2 connection ends: no request is lost that was on its way (RFC 9113, 6.8).
///
/// Serving; announced: the client knows that it is to open no more streams, and what it had opened before it
/// knew is served; limited: it does know, and what it opens nevertheless is refused; closing.
struct HTTP2Drain {
    enum Action: Equatable {
        /// A GOAWAY that allows every stream, and a ping.
        case announce
        /// A GOAWAY that names the last stream that is served.
        case limit
        /// The same, and then the end.
        case close
    }

    private enum State: Equatable {
        case serving
        case announced(since: Int)
        case limited
        case closing
    }

    private var state = State.serving
    /// Ticks that a client has to answer the ping; then it is taken to know.
    private let patience: Int

    init(patience: Int) {
        self.patience = patience
    }

    /// Whether new streams are refused.
    var refuses: Bool { state == .limited || state == .closing }

    /// The server stops, or the connection has been idle for long enough.
    mutating func began(at tick: Int) -> Action? {
        guard state == .serving else { return nil }
        state = .announced(since: tick)
        return .announce
    }

    /// The client has answered the ping, and so has read what came before it.
    mutating func acknowledged(streams: Int) -> Action? {
        guard case .announced = state else { return nil }
        state = streams == 0 ? .closing : .limited
        return streams == 0 ? .close : .limit
    }

    mutating func passed(_ tick: Int, streams: Int) -> Action? {
        guard case .announced(let since) = state, tick - since >= patience else { return nil }
        return acknowledged(streams: streams)
    }

    /// No stream is open any more.
    mutating func emptied() -> Action? {
        guard state == .limited else { return nil }
        state = .closing
        return .close
    }
}
