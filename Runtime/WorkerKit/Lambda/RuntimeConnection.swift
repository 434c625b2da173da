import FunctionCore
import Glibc

/// A connection to the Runtime API that is kept alive, for one loop: a request, then its answer.
///
/// It blocks, and waits without a limit: the next event may be hours away, and the platform freezes the process
/// meanwhile. libcurl would cost some thirty libraries at every cold start.
///
/// Threading: one thread at a time.
final class RuntimeConnection {
    private let address: String
    private var descriptor: Int32 = -1
    private var reader: AnswerReader?

    /// Host and port, such as `127.0.0.1:9001`.
    init(_ address: String) {
        self.address = address
    }

    deinit {
        hangUp()
    }

    /// Sends a request and waits for its answer.
    ///
    /// A kept connection that turns out to be over is made anew, once: nothing was answered on it.
    func exchange(
        _ method: String,
        _ path: String,
        _ headers: [Header] = [],
        body: Bytes = Bytes()
    ) throws(RuntimeFault) -> RuntimeAnswer {
        var head = headers
        if method == "POST" { head.append(Header("content-length", "\(body.count)")) }
        let request = text(method, path, head) + body.array
        let isKept = descriptor >= 0
        do throws(RuntimeFault) {
            return try once(request)
        } catch {
            hangUp()
            guard isKept, error.isAtStart else { throw error }
            return try once(request)
        }
    }

    private func once(_ request: [UInt8]) throws(RuntimeFault) -> RuntimeAnswer {
        try open()
        // A server that refuses what is sent may have answered nevertheless.
        writeAll(descriptor, request)
        return try answer()
    }

    /// Begins a request whose body comes in chunks.
    func begin(_ path: String, _ headers: [Header]) throws(RuntimeFault) {
        try open()
        writeAll(descriptor, text("POST", path, headers + [Header("transfer-encoding", "chunked")]))
    }

    /// Sends one chunk; false once the other side takes no more.
    func write(_ piece: Bytes) -> Bool {
        if piece.isEmpty { return true }
        let size = Array("\(String(piece.count, radix: 16))\r\n".utf8)
        return writeAll(descriptor, size + piece.array + [13, 10])
    }

    /// Ends the chunks with these trailers and waits for the answer.
    func end(_ trailers: [Header] = []) throws(RuntimeFault) -> RuntimeAnswer {
        let fields = trailers.map { "\($0.name): \($0.value)\r\n" }.joined()
        writeAll(descriptor, Array("0\r\n\(fields)\r\n".utf8))
        return try answer()
    }

    private func answer() throws(RuntimeFault) -> RuntimeAnswer {
        do throws(RuntimeFault) {
            guard let answer = try reader?.next() else { throw RuntimeFault(description: "no connection") }
            if !answer.keepsAlive { hangUp() }
            return answer
        } catch {
            hangUp()
            throw error
        }
    }

    private func text(_ method: String, _ path: String, _ headers: [Header]) -> [UInt8] {
        var text = "\(method) /2018-06-01\(path) HTTP/1.1\r\nhost: \(address)\r\nuser-agent: swiftlet\r\n"
        for header in headers { text += "\(header.name): \(header.value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    private func hangUp() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        reader = nil
    }

    private func open() throws(RuntimeFault) {
        guard descriptor < 0 else { return }
        let socket = try RuntimeConnection.connect(address)
        descriptor = socket
        reader = AnswerReader {
            // SAFETY: `readSome` fills the buffer from its start, by as many bytes as it says.
            [UInt8](unsafeUninitializedCapacity: 64 * 1024) { buffer, count in
                count = readSome(socket, into: UnsafeMutableRawBufferPointer(buffer)).count
            }
        }
    }

    private static func connect(_ address: String) throws(RuntimeFault) -> Int32 {
        let colon = address.utf8.lastIndex(of: 58)
        let port = colon.map { String(address[address.index(after: $0)...]) } ?? "80"
        let host = String(address[..<(colon ?? address.endIndex)]).filter { $0 != "[" && $0 != "]" }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &found) == 0 else {
            throw RuntimeFault(description: "AWS_LAMBDA_RUNTIME_API names no address: \(address)")
        }
        defer { freeaddrinfo(found) }
        var next = found
        while let candidate = next?.pointee {
            next = candidate.ai_next
            let descriptor = socket(
                candidate.ai_family,
                candidate.ai_socktype | Int32(SOCK_CLOEXEC.rawValue),
                0
            )
            guard descriptor >= 0 else { continue }
            if Glibc.connect(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 {
                var on: Int32 = 1
                setsockopt(
                    descriptor,
                    Int32(IPPROTO_TCP),
                    TCP_NODELAY,
                    &on,
                    socklen_t(MemoryLayout<Int32>.size)
                )
                return descriptor
            }
            close(descriptor)
        }
        throw RuntimeFault(description: "nobody listens at AWS_LAMBDA_RUNTIME_API, \(address)")
    }
}
