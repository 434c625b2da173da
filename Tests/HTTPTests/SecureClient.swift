import NIOCore
import NIOSSL

/// A raw client over TLS, which trusts everybody.
enum SecureClient {
    static func connect(_ port: Int, speaking protocol: String) async throws -> RawClient {
        try await RawClient.connect(port) {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .none
            configuration.applicationProtocols = [`protocol`]
            let context = try NIOSSLContext(configuration: configuration)
            return [try NIOSSLClientHandler(context: context, serverHostname: "localhost")]
        }
    }
}

/// One frame of HTTP/2, byte by byte, so that a test can say what no library would.
struct WireFrame: Sendable, Equatable {
    enum Kind: UInt8, Sendable {
        case data = 0, headers = 1, priority = 2, reset = 3, settings = 4, push = 5, ping = 6, goAway = 7
        case window = 8, continuation = 9
    }

    var kind: Kind
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []

    var endsStream: Bool { flags & 1 == 1 && (kind == .data || kind == .headers) }
    /// The error of a reset or, behind the last stream, of a GOAWAY.
    var code: UInt32? {
        switch kind {
        case .reset: WireFrame.number(payload[0..<4])
        case .goAway: WireFrame.number(payload[4..<8])
        default: nil
        }
    }

    /// The last stream that a GOAWAY names.
    var last: UInt32 { WireFrame.number(payload[0..<4]) }

    /// A value of SETTINGS.
    func setting(_ name: UInt16) -> UInt32? {
        stride(from: 0, to: payload.count, by: 6).first {
            UInt16(payload[$0]) << 8 | UInt16(payload[$0 + 1]) == name
        }.map { WireFrame.number(payload[$0 + 2..<$0 + 6]) }
    }

    /// As it is sent; a block of fields too long for one frame goes on in others.
    var bytes: [UInt8] {
        guard payload.count > 16_384, kind != .data else {
            var out = Array(WireFrame.bytes(UInt32(payload.count)).dropFirst())
            out += [kind.rawValue, flags]
            out += WireFrame.bytes(stream)
            return out + payload
        }
        var (first, rest) = (self, self)
        first.payload = Array(payload.prefix(16_384))
        first.flags = flags & ~4
        rest.kind = .continuation
        rest.payload = Array(payload.dropFirst(16_384))
        rest.flags = 4
        return first.bytes + rest.bytes
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static func settings(_ values: [(UInt16, UInt32)] = []) -> WireFrame {
        var payload: [UInt8] = []
        for (name, value) in values {
            payload += [UInt8(name >> 8), UInt8(name & 255)]
            payload += bytes(value)
        }
        return WireFrame(kind: .settings, payload: payload)
    }

    /// A block of fields, each as a literal that is not indexed.
    static func headers(_ stream: UInt32, _ fields: [(String, String)], ends: Bool = true) -> WireFrame {
        var block: [UInt8] = []
        for (name, value) in fields {
            block += [0, UInt8(name.utf8.count)]
            block += name.utf8
            block += length(value.utf8.count)
            block += value.utf8
        }
        return WireFrame(kind: .headers, flags: ends ? 5 : 4, stream: stream, payload: block)
    }

    static func request(_ stream: UInt32, _ method: String, _ path: String, ends: Bool = true) -> WireFrame {
        headers(
            stream,
            [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path)],
            ends: ends
        )
    }

    static func data(_ stream: UInt32, _ text: String, ends: Bool = true) -> WireFrame {
        WireFrame(kind: .data, flags: ends ? 1 : 0, stream: stream, payload: Array(text.utf8))
    }

    static func reset(_ stream: UInt32) -> WireFrame {
        WireFrame(kind: .reset, stream: stream, payload: bytes(8))
    }

    static func window(_ stream: UInt32, _ more: UInt32) -> WireFrame {
        WireFrame(kind: .window, stream: stream, payload: bytes(more))
    }

    /// The whole frames at the beginning of `bytes`.
    static func parse(_ bytes: [UInt8]) -> [WireFrame] {
        var frames: [WireFrame] = []
        var at = 0
        while at + 9 <= bytes.count {
            let length = Int(number([0] + bytes[at..<at + 3]))
            guard at + 9 + length <= bytes.count, let kind = Kind(rawValue: bytes[at + 3]) else { break }
            frames.append(
                WireFrame(
                    kind: kind,
                    flags: bytes[at + 4],
                    stream: number(bytes[at + 5..<at + 9]),
                    payload: Array(bytes[at + 9..<at + 9 + length])
                )
            )
            at += 9 + length
        }
        return frames
    }

    /// An integer of HPACK with a prefix of seven bits.
    private static func length(_ value: Int) -> [UInt8] {
        guard value >= 127 else { return [UInt8(value)] }
        var rest = value - 127
        var out: [UInt8] = [127]
        while rest >= 128 {
            out.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return out + [UInt8(rest)]
    }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        [UInt8(number >> 24), UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)]
    }

    private static func number(_ bytes: some Sequence<UInt8>) -> UInt32 {
        bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension RawClient {
    /// Connects, with the preface and settings sent.
    static func http2(_ port: Int, settings: [(UInt16, UInt32)] = []) async throws -> RawClient {
        let client = try await SecureClient.connect(port, speaking: "h2")
        try await client.send(WireFrame.preface + WireFrame.settings(settings).bytes)
        return client
    }

    func send(_ frames: WireFrame...) async throws {
        try await send(frames.flatMap(\.bytes))
    }

    var frames: [WireFrame] { WireFrame.parse(bytes) }

    /// Waits for a frame, and returns it; nil where the connection ended without one.
    @discardableResult
    func frame(_ condition: @escaping @Sendable (WireFrame) -> Bool) async -> WireFrame? {
        await waits { WireFrame.parse($0).contains(where: condition) }
        return frames.first(where: condition)
    }

    /// The body of a stream as far as it has come.
    func body(_ stream: UInt32) -> String {
        String(
            decoding: frames.filter { $0.kind == .data && $0.stream == stream }.flatMap(\.payload),
            as: UTF8.self
        )
    }
}
