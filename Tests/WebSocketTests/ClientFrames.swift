import FunctionCore
import WebSockets

/// A frame as a client writes it.
func frame(
    _ opcode: UInt8,
    _ payload: [UInt8] = [],
    final: Bool = true,
    mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
) -> [UInt8] {
    var bytes = [(final ? 0x80 : 0) | opcode]
    switch payload.count {
    case ...125: bytes.append(0x80 | UInt8(payload.count))
    case ...0xFFFF: bytes += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default:
        bytes.append(0xFF)
        bytes += stride(from: 56, through: 0, by: -8).map { UInt8(payload.count >> $0 & 0xFF) }
    }
    bytes += mask
    return bytes + payload.enumerated().map { $0.element ^ mask[$0.offset % 4] }
}

func frame(text: String, final: Bool = true) -> [UInt8] {
    frame(1, Array(text.utf8), final: final)
}

func closeFrame(_ code: Int, _ reason: String = "") -> [UInt8] {
    frame(8, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8))
}

/// A session with what it gave out.
final class Talk {
    var session: SocketSession
    var now = Monotonic(nanoseconds: 1_000_000_000_000)
    private(set) var messages: [SocketMessage] = []
    private(set) var written: [UInt8] = []
    private(set) var endings: [Closing] = []
    private(set) var aborted = false

    init(_ limits: SocketLimits = SocketLimits()) {
        session = SocketSession(limits, at: now)
    }

    var texts: [String] { messages.map { String(decoding: $0.bytes, as: UTF8.self) } }

    /// The frames that went to the client, without what has been looked at before.
    func frames() -> [(opcode: UInt8, final: Bool, payload: [UInt8])] {
        defer { written = [] }
        var frames: [(UInt8, Bool, [UInt8])] = []
        var rest = written[...]
        while let first = rest.first {
            var length = Int(rest[rest.startIndex + 1])
            rest = rest.dropFirst(2)
            if length >= 126 {
                let size = length == 126 ? 2 : 8
                length = rest.prefix(size).reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(size)
            }
            frames.append((first & 0x0F, first & 0x80 != 0, Array(rest.prefix(length))))
            rest = rest.dropFirst(length)
        }
        return frames
    }

    func perform(_ actions: [SocketSession.Action], delivers: Bool = true) {
        for action in actions {
            switch action {
            case .write(let bytes):
                written += bytes
                if delivers { perform(session.wrote(bytes.count, at: now)) }
            case .end(let closing, let aborts):
                endings.append(closing)
                aborted = aborts
            }
        }
    }

    /// Bytes come in, and every message is taken and answered at once.
    func receive(_ bytes: [UInt8]) {
        perform(session.received(bytes, at: now))
        while takeOne() { session.done(at: now) }
    }

    /// Takes the next message and leaves it at work.
    func takeOne() -> Bool {
        let (message, actions) = session.take(at: now)
        if let message { messages.append(message) }
        perform(actions)
        return message != nil
    }

    func pass(_ time: Duration) {
        now = now + time
        perform(session.ticked(at: now))
    }
}
