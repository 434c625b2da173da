import FunctionCore
import Glibc
import TestSupport

/// A client that asks again and again on one connection, and makes another only when it was told that this one
/// closes.
///
/// Blocks: on a thread of its own.
final class KeepAliveClient {
    private let port: Int
    private var descriptor: Int32 = -1

    init(port: Int) {
        self.port = port
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Asks once; nil where all is well, else what went wrong.
    func ask() -> String? {
        if descriptor < 0, let fault = connectAnew() { return fault }
        let request = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}"
        guard
            send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count
        else { return "sending failed: errno \(errno)" }
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !text.contains("\r\n\r\n") || !text.hasSuffix("{}") {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else {
                return "the connection ended after \(text.utf8.count) bytes: errno \(errno)"
            }
            text += String(decoding: buffer[..<count], as: UTF8.self)
            if text.hasPrefix("HTTP/1.1 "), !text.hasPrefix("HTTP/1.1 200") { return text }
        }
        if text.lowercased().contains("connection: close") {
            close(descriptor)
            descriptor = -1
        }
        return nil
    }

    private func connectAnew() -> String? {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            // SAFETY: a sockaddr_in begins as a sockaddr does, and its own size is given with it.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return status == 0 ? nil : "no connection: errno \(errno)"
    }
}
