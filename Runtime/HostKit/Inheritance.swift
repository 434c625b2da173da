import Glibc

/// What a host takes over instead of making it: listening sockets, and the hold on its data directory.
package struct Inheritance: Sendable {
    /// By name: `gateway`, `admin`.
    ///
    /// The host that is started with them owns them.
    package var listeners: [String: Int32] = [:]
    /// The descriptor that holds the lock of the data directory.
    package var lock: Int32?

    package init() {}

    package init(listeners: [String: Int32], lock: Int32?) {
        self.listeners = listeners
        self.lock = lock
    }

    /// What a service manager passes on by `LISTEN_FDS`.
    ///
    /// Those that are named go by
    /// their names, of others the first is the gateway's and the second the admin port's.
    package init(environment: [String: String], pid: Int32 = getpid(), first: Int32 = 3) {
        guard environment["LISTEN_PID"].flatMap({ Int32($0) }) == pid,
            let count = environment["LISTEN_FDS"].flatMap({ Int32($0) }), (1...16).contains(count)
        else { return }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(
            separator: ":",
            omittingEmptySubsequences: false
        ).map(String.init)
        var unnamed = ["gateway", "admin"]
        for index in 0..<Int(count) {
            let descriptor = first + Int32(index)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            let name = index < names.count ? names[index] : ""
            if ["gateway", "admin"].contains(name), listeners[name] == nil {
                listeners[name] = descriptor
                unnamed.removeAll { $0 == name }
            }
        }
        for index in 0..<Int(count) {
            let descriptor = first + Int32(index)
            guard !listeners.values.contains(descriptor), !unnamed.isEmpty else { continue }
            listeners[unnamed.removeFirst()] = descriptor
        }
    }

    /// The TCP port that a listening socket has; nil for what is none.
    package static func port(of descriptor: Int32) -> Int? {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isKnown = withUnsafeMutablePointer(to: &address) { pointer in
            // SAFETY: a sockaddr_storage has room and alignment for every kind of address.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isKnown else { return nil }
        guard [AF_INET, AF_INET6].contains(Int32(address.ss_family)) else { return nil }
        return withUnsafeBytes(of: &address) { bytes in
            // Both kinds have the port behind the family, in network order.
            Int(bytes[2]) << 8 | Int(bytes[3])
        }
    }

    /// Whether only this machine reaches a listening socket.
    static func isLocal(_ descriptor: Int32) -> Bool {
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let isKnown = withUnsafeMutablePointer(to: &address) { pointer in
            // SAFETY: it is the longer of the two kinds of address, and aligned for both.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isKnown else { return false }
        let family = Int32(address.sin6_family)
        return withUnsafeBytes(of: &address) { bytes in
            switch family {
            case AF_UNIX: true
            case AF_INET: bytes[4] == 127
            case AF_INET6: bytes[8..<23].allSatisfy { $0 == 0 } && bytes[23] == 1
            default: false
            }
        }
    }

    /// Closes what nobody has taken.
    package func close() {
        for descriptor in listeners.values { Glibc.close(descriptor) }
        if let lock { Glibc.close(lock) }
    }
}
