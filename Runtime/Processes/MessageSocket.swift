import CShims
import FunctionCore
import Glibc

/// A Unix connection of whole messages between processes of one user; a message may bring descriptors.
///
/// Threading: one thread at a time; calls block.
package final class MessageSocket: Sendable {
    private let descriptor: Int32

    package init(taking descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Listens at `directory`/`name`, for this user alone; nil with errno.
    ///
    /// What lies there is replaced.
    package static func listen(in directory: String, name: String) -> Int32? {
        unlink("\(directory)/\(name)")
        return open(directory, name) { descriptor, address, length in
            guard bind(descriptor, address, length) == 0 else { return false }
            chmod("\(directory)/\(name)", 0o600)
            return Glibc.listen(descriptor, 4) == 0
        }
    }

    /// Connects to who listens there; nil with errno.
    package static func connect(in directory: String, name: String) -> MessageSocket? {
        open(directory, name) { Glibc.connect($0, $1, $2) == 0 }.map { MessageSocket(taking: $0) }
    }

    /// Waits for the next connection from a process of this user, or root; nil once `listener` is shut down.
    package static func accept(_ listener: Int32) -> MessageSocket? {
        while true {
            let descriptor = swiftlet_accept(listener)
            if descriptor < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return nil
            }
            let socket = MessageSocket(taking: descriptor)
            if let peer = socket.peer, peer.uid == geteuid() || peer.uid == 0 { return socket }
        }
    }

    /// The process at the other end, as the kernel knows it.
    package var peer: (pid: pid_t, uid: uid_t)? {
        var (pid, uid) = (pid_t(), uid_t())
        return swiftlet_peer(descriptor, &pid, &uid) == 0 ? (pid, uid) : nil
    }

    /// Sends a message; false where the other end is gone.
    package func send(_ text: String, _ descriptors: [Int32] = []) -> Bool {
        swiftlet_send_message(descriptor, text, text.utf8.count, descriptors, Int32(descriptors.count)) == 0
    }

    /// The next message, 4 KiB at most, whose descriptors are the caller's; nil where the other end is gone
    /// or the time is over.
    package func receive(within limit: Duration) -> (text: String, descriptors: [Int32])? {
        let deadline = Monotonic.now + limit
        while true {
            var polls = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
            let left = (deadline - Monotonic.now).nanoseconds / 1_000_000
            guard left > 0 else { return nil }
            let ready = poll(&polls, 1, Int32(clamping: left))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            break
        }
        var bytes = [UInt8](repeating: 0, count: 4096)
        var descriptors = [Int32](repeating: -1, count: 16)
        var count: Int32 = 0
        let got = swiftlet_receive_message(descriptor, &bytes, bytes.count, &descriptors, &count)
        let taken = Array(descriptors.prefix(Int(count)))
        guard got > 0 else {
            for descriptor in taken { close(descriptor) }
            return nil
        }
        return (String(decoding: bytes.prefix(got), as: UTF8.self), taken)
    }

    /// The directory is reached by a descriptor, as a socket's path may have 107 bytes only.
    private static func open(
        _ directory: String,
        _ name: String,
        _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) -> Int32? {
        let folder = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        defer { close(folder) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: Array("/proc/self/fd/\(folder)/\(name)".utf8.prefix(107)))
        }
        let isDone = withUnsafePointer(to: &address) { pointer in
            // SAFETY: a sockaddr_un begins as a sockaddr does, and its own size is given with it.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard isDone else {
            let error = errno
            close(descriptor)
            errno = error
            return nil
        }
        return descriptor
    }
}
