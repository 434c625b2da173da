import FunctionCore
import Glibc
import NIOCore
import Storage

/// The service manager that started this process, as systemd's notify protocol knows it.
///
/// Threading: any. A message is one datagram on a Unix socket; who does not take it within a second misses it.
package struct ServiceManager: Sendable {
    /// The socket's address: a path, or a zero and a name without one.
    private let address: [UInt8]
    /// How often it wants a sign of life at least.
    package let watchdog: Duration?

    /// Nil where nobody wants to hear, or the socket's name is none.
    package init?(environment: [String: String], pid: Int32 = getpid()) {
        guard let name = environment["NOTIFY_SOCKET"], let first = name.utf8.first,
            first == UInt8(ascii: "/") || first == UInt8(ascii: "@"), name.utf8.count < 108
        else { return nil }
        address = first == UInt8(ascii: "@") ? [0] + name.utf8.dropFirst() : Array(name.utf8)
        // The watch may be meant for another process, which this one has followed.
        let watched = environment["WATCHDOG_PID"].flatMap { Int32($0) }
        if let text = environment["WATCHDOG_USEC"], let time = Int64(text), time > 0,
            watched == nil || watched == pid
        {
            watchdog = .microseconds(time)
        } else {
            watchdog = nil
        }
    }

    /// The host serves.
    package func ready(_ status: String) { tell(["READY=1", "STATUS=\(status)"]) }

    /// The host reads its files anew; `ready` says that it has.
    package func reloading() {
        tell([
            "RELOADING=1", "MONOTONIC_USEC=\(Monotonic.now.nanoseconds / 1000)",
            "STATUS=reading its files anew",
        ])
    }

    package func stopping(_ status: String) { tell(["STOPPING=1", "STATUS=\(status)"]) }

    /// Another process is the service from now on.
    package func succeeded(by pid: Int32) { tell(["MAINPID=\(pid)"]) }

    /// Says at half the interval that the process lives, but only when every loop has answered.
    ///
    /// Runs until the task is cancelled; a loop that hangs ends the signs of life, and the manager ends the
    /// process.
    func watch(_ group: any EventLoopGroup) async {
        guard let watchdog else { return }
        let wake = WakeSignal()
        let timer = Timer(loop: group.next()) { wake.wake() }
        let wakes = wake.wakes()
        wake.wake()
        for await _ in wakes {
            for loop in group.makeIterator() { try? await loop.submit {}.get() }
            tell(["WATCHDOG=1"])
            timer.set(watchdog / 2)
        }
        timer.cancel()
    }

    func tell(_ lines: [String]) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: address) }
        // An abstract name has no zero at its end: its length counts.
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.count)
        let message = lines.joined(separator: "\n")
        withUnsafePointer(to: &name) { pointer in
            // SAFETY: a sockaddr_un begins as a sockaddr does, and `length` lies within it.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, message, message.utf8.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
