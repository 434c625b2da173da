import Glibc

/// Which user id a function's workers have: by its name, so that it is mostly the same from start to start, and no
/// two functions the same.
struct WorkerUsers {
    let first: UInt32
    private var users: [String: UInt32] = [:]
    private var taken: Set<UInt32> = []

    /// How many ids names are spread over; with more functions than that, ids follow beyond.
    static let span: UInt32 = 1000

    /// - Throws: why functions can have no users of their own.
    init(from first: UInt32?) throws(IsolationFault) {
        guard let first else { throw IsolationFault("workers.users is off") }
        guard geteuid() == 0 else {
            throw IsolationFault("the host is not root: workers run as its own user")
        }
        let capabilities = WorkerUsers.capabilities
        let missing = [(0, "CAP_CHOWN"), (6, "CAP_SETGID"), (7, "CAP_SETUID")].first {
            capabilities & 1 << $0.0 == 0
        }
        if let (_, name) = missing { throw IsolationFault("the host lacks \(name)") }
        guard WorkerUsers.isMapped(UInt64(first) + UInt64(2 * WorkerUsers.span)) else {
            throw IsolationFault("the ids from \(first) are not mapped in this user namespace")
        }
        self.first = first
    }

    /// The id of a function, which it keeps.
    mutating func user(of function: String) -> UInt32 {
        if let known = users[function] { return known }
        var slot = WorkerUsers.hash(function) % WorkerUsers.span
        if taken.count >= WorkerUsers.span { slot = UInt32(taken.count) }
        while !taken.insert(slot).inserted { slot = (slot + 1) % WorkerUsers.span }
        users[function] = first + slot
        return first + slot
    }

    /// FNV-1a, which is the same in every process, as Swift's own is not.
    private static func hash(_ text: String) -> UInt32 {
        text.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }

    private static var capabilities: UInt64 {
        let line = (readSmall("/proc/self/status") ?? "").split(separator: "\n").first {
            $0.hasPrefix("CapEff:")
        }
        return line.flatMap { UInt64($0.dropFirst(7).drop { $0 == "\t" || $0 == " " }, radix: 16) } ?? 0
    }

    /// Whether ids up to `last` exist here.
    private static func isMapped(_ last: UInt64) -> Bool {
        (readSmall("/proc/self/uid_map") ?? "").split(separator: "\n").contains { line in
            let numbers = line.split(separator: " ").compactMap { UInt64($0) }
            return numbers.count == 3 && numbers[0] == 0 && last <= numbers[2]
        }
    }
}
