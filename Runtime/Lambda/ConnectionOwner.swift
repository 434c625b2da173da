import Glibc
import NIOCore

/// Who is at the other end of a connection on loopback, as the kernel's `sock_diag` knows it.
enum ConnectionOwner {
    /// The user's id; nil where the kernel does not tell.
    static func user(of channel: any Channel) -> UInt32? {
        guard case .v4(let remote) = channel.remoteAddress, case .v4(let local) = channel.localAddress else {
            return nil
        }
        return answer(to: question(from: remote.address, to: local.address))
    }

    /// A `nlmsghdr` of 16 bytes, then an `inet_diag_req_v2` of 56: the one socket at `from` that is connected to `to`.
    private static func question(from: sockaddr_in, to: sockaddr_in) -> [UInt8] {
        var bytes: [UInt8] = []
        func add(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
        }
        let (byFamily, request): (UInt16, UInt16) = (20, 1)
        add(UInt32(72))
        add(byFamily)
        add(request)
        add(UInt64(0))
        add(UInt8(AF_INET))
        add(UInt8(IPPROTO_TCP))
        add(UInt16(0))
        add(UInt32.max)
        add(from.sin_port)
        add(to.sin_port)
        for address in [from, to] {
            add(address.sin_addr.s_addr)
            add(UInt64(0))
            add(UInt32(0))
        }
        add(UInt32(0))
        // Whatever its cookie.
        add(UInt64.max)
        return bytes
    }

    /// What the kernel says: a `nlmsghdr`, then an `inet_diag_msg` whose user lies at 64.
    private static func answer(to question: [UInt8]) -> UInt32? {
        let sockDiag: Int32 = 4
        let link = socket(AF_NETLINK, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), sockDiag)
        guard link >= 0 else { return nil }
        defer { close(link) }
        var answer = [UInt8](repeating: 0, count: 4096)
        guard send(link, question, question.count, 0) == question.count else { return nil }
        let count = recv(link, &answer, answer.count, 0)
        return answer.withUnsafeBytes { bytes in
            guard count >= 84, bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self) == 20 else {
                return nil
            }
            return bytes.loadUnaligned(fromByteOffset: 80, as: UInt32.self)
        }
    }
}
