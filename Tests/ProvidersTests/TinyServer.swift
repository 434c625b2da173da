import FunctionCore
import Glibc
import Synchronization

@testable import Providers

/// A request as the tiny server read it.
struct SeenRequest: Sendable {
    var method: String
    var path: String
    var headers: [Header]
    var body: Bytes
}

/// An HTTP server of plain sockets, one thread a connection, one request a connection: enough to be a peer in
/// tests.
final class TinyServer: Sendable {
    let port: Int
    private let listener: Int32
    private let requests = Mutex<[SeenRequest]>([])
    private let sent = Mutex(0)
    private let broken = Mutex(0)

    /// Every request so far.
    var seen: [SeenRequest] { requests.withLock { $0 } }
    /// Bytes of bodies that the kernel has taken.
    var bytesSent: Int { sent.withLock { $0 } }
    /// Connections that the peer closed before the reply was through.
    var brokenOff: Int { broken.withLock { $0 } }

    init(_ handler: @escaping @Sendable (SeenRequest) -> OfflineAnswer) {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        // SAFETY: the address is a sockaddr_in, read and written within the calls only.
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                precondition(bind(listener, pointer, length) == 0, "bind")
                precondition(listen(listener, 64) == 0, "listen")
                getsockname(listener, pointer, &length)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        TinyServer.thread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                guard let self else {
                    close(connection)
                    return
                }
                TinyServer.thread { self.serve(connection, handler) }
            }
        }
    }

    /// The offline provider, as it is run for real.
    static func offline() -> TinyServer {
        let provider = OfflineProvider(wordPause: .milliseconds(1))
        return TinyServer { request in
            provider.answer(
                method: request.method,
                path: request.path,
                headers: request.headers,
                body: request.body
            )
        }
    }

    func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ connection: Int32, _ handler: @Sendable (SeenRequest) -> OfflineAnswer) {
        defer { close(connection) }
        guard let request = TinyServer.read(connection) else { return }
        requests.withLock { $0.append(request) }
        let answer = handler(request)
        var head = "HTTP/1.1 \(answer.status) Status\r\nconnection: close\r\n"
        for header in answer.headers { head += "\(header.name): \(header.value)\r\n" }
        switch answer.body {
        case .whole(let bytes):
            guard write(connection, Array("\(head)content-length: \(bytes.count)\r\n\r\n".utf8)) else {
                return
            }
            if request.method != "HEAD", !write(connection, bytes.array) { broken.withLock { $0 += 1 } }
        case .events(let events, let pause):
            guard write(connection, Array("\(head)\r\n".utf8)) else { return }
            for event in events {
                guard write(connection, Array(event.utf8)) else {
                    broken.withLock { $0 += 1 }
                    return
                }
                usleep(UInt32(pause.milliseconds * 1000))
            }
        }
    }

    private func write(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(65_536))
            let count = send(connection, piece, piece.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return false }
            sent.withLock { $0 += count }
            rest.removeFirst(count)
        }
        return true
    }

    private static func read(_ connection: Int32) -> SeenRequest? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var request: SeenRequest?
        var length = 0
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
            if request == nil, let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
                let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
                let words = lines[0].split(separator: " ")
                let headers = lines.dropFirst().map { line in
                    let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                    return Header(String(parts[0]), String(parts[1].drop { $0 == " " }))
                }
                request = SeenRequest(
                    method: String(words[0]),
                    path: String(words[1]),
                    headers: headers,
                    body: Bytes()
                )
                length = headers.first("content-length").flatMap { Int($0) } ?? 0
                bytes.removeFirst(end.upperBound)
            }
            if var request, bytes.count >= length {
                request.body = Bytes(bytes)
                return request
            }
        }
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        // SAFETY: the box is retained here and released by the thread, once.
        let box = Unmanaged.passRetained(Box(body)).toOpaque()
        pthread_create(
            &thread,
            nil,
            { argument in
                // SAFETY: the argument is the box retained above.
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            },
            box
        )
        pthread_detach(thread)
    }
}
