import FunctionCore
import NIOCore
import NIOPosix

/// A socket of which a test sees every byte.
final class RawClient: Sendable {
    struct Response: Sendable {
        var status: Int
        var headers: [Header]
        var body: String

        subscript(name: String) -> String? { headers.first(name) }
    }

    private let channel: any Channel
    private let received: Watched<(bytes: [UInt8], isClosed: Bool)>

    private init(_ channel: any Channel, _ received: Watched<(bytes: [UInt8], isClosed: Bool)>) {
        self.channel = channel
        self.received = received
    }

    /// `layers` come between the socket and what the test sees.
    static func connect(
        _ port: Int,
        receiveBuffer: Int? = nil,
        layers: @escaping @Sendable () throws -> [any ChannelHandler] = { [] }
    ) async throws -> RawClient {
        let received = Watched<(bytes: [UInt8], isClosed: Bool)>(([], false))
        var bootstrap = ClientBootstrap(group: TestServer.group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(layers() + [Collector(received)])
                }
            }
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
        }
        return RawClient(try await bootstrap.connect(host: "127.0.0.1", port: port).get(), received)
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text)).get()
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Sends without waiting, as the peer may not take it.
    func push(_ text: String) {
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    func push(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    func setReading(_ reads: Bool) async throws {
        try await channel.setOption(.autoRead, value: reads).get()
        if reads { channel.read() }
    }

    func close() async throws {
        try await channel.close().get()
    }

    var bytes: [UInt8] { received.value.bytes }

    /// Waits for something that the bytes so far show, or for the end.
    func waits(until condition: @escaping @Sendable ([UInt8]) -> Bool) async {
        await received.wait { $0.isClosed || condition($0.bytes) }
    }

    var text: String { String(decoding: received.value.bytes, as: UTF8.self) }

    /// Waits for text, and returns all that has come.
    @discardableResult
    func waits(for text: String) async -> String {
        let bytes = await received.wait { state in
            state.isClosed || String(decoding: state.bytes, as: UTF8.self).contains(text)
        }.bytes
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Waits for so many bytes in all.
    func waits(forBytes count: Int) async {
        await received.wait { $0.isClosed || $0.bytes.count >= count }
    }

    /// Waits for the end of the connection, and returns what had not been taken.
    @discardableResult
    func waitsForClose() async -> String {
        String(decoding: await received.wait(until: \.isClosed).bytes, as: UTF8.self)
    }

    /// Takes one response off; `isHead` tells that it has no body.
    func response(isHead: Bool = false) async throws -> Response {
        let state = await received.wait { $0.isClosed || RawClient.parse($0.bytes, isHead: isHead) != nil }
        guard let (response, length) = RawClient.parse(state.bytes, isHead: isHead) else { throw Ended() }
        received.update { $0.bytes.removeFirst(length) }
        return response
    }

    /// The status of an answer that may come before the request is out.
    func status(of text: String) async throws -> Int {
        push(text)
        return try await response().status
    }

    struct Ended: Error {}

    private static func parse(_ bytes: [UInt8], isHead: Bool) -> (Response, Int)? {
        guard let split = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<split.lowerBound], as: UTF8.self).split(separator: "\r\n")
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            return nil
        }
        let headers = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return Header(String(line[..<colon]), String(line[colon...].dropFirst(2)))
        }
        var response = Response(status: status, headers: headers, body: "")
        let start = split.upperBound
        if isHead || status == 204 || status == 304 || status == 100 { return (response, start) }
        if headers.first("transfer-encoding") != nil { return chunked(bytes, from: start, &response) }
        let length = headers.first("content-length").flatMap { Int($0) } ?? 0
        guard bytes.count >= start + length else { return nil }
        response.body = String(decoding: bytes[start..<start + length], as: UTF8.self)
        return (response, start + length)
    }

    private static func chunked(
        _ bytes: [UInt8],
        from start: Int,
        _ response: inout Response
    ) -> (Response, Int)? {
        var at = start
        while let line = bytes[at...].firstRange(of: Array("\r\n".utf8)) {
            let size = Int(String(decoding: bytes[at..<line.lowerBound], as: UTF8.self), radix: 16) ?? 0
            let end = line.upperBound + size + 2
            guard bytes.count >= end else { return nil }
            response.body += String(decoding: bytes[line.upperBound..<line.upperBound + size], as: UTF8.self)
            if size == 0 { return (response, end) }
            at = end
        }
        return nil
    }
}

private final class Collector: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let received: Watched<(bytes: [UInt8], isClosed: Bool)>

    init(_ received: Watched<(bytes: [UInt8], isClosed: Bool)>) {
        self.received = received
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        received.update { $0.bytes += buffer.readableBytesView }
    }

    func channelInactive(context: ChannelHandlerContext) {
        received.update { $0.isClosed = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
