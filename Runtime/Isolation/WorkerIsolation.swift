import CShims
import FunctionCore
import Glibc
import Synchronization
import Wire

/// What isolates workers from each other and from the host, as far as the machine has it.
///
/// Looked at once, at the start; what is on is then required of each worker: one that cannot be confined does not
/// start.
package final class WorkerIsolation: Sendable {
    /// What is wanted.
    package struct Settings: Sendable {
        /// The first of the user ids for functions; nil for none.
        package var firstUser: UInt32?
        /// Whether system calls and paths are restricted.
        package var sandbox = true
        package var controlGroups = true

        package init() {}
    }

    /// One means, and whether it is in force.
    package struct Feature: Sendable, Equatable {
        package var name: String
        package var isOn: Bool
        /// How far it goes, or why it is off.
        package var detail: String
    }

    /// What one function may need.
    package struct Needs: Sendable {
        package var function: String
        package var memory: Int
        package var openFiles: Int
        package var cpuSeconds: Int
        package var network: Bool
        package var fork: Bool

        package init(
            function: String,
            memory: Int,
            openFiles: Int,
            cpuSeconds: Int = 0,
            network: Bool = false,
            fork: Bool = false
        ) {
            self.function = function
            self.memory = memory
            self.openFiles = openFiles
            self.cpuSeconds = cpuSeconds
            self.network = network
            self.fork = fork
        }
    }

    package let features: [Feature]
    private let users: Mutex<WorkerUsers?>
    private let filters: [SystemCallFilter]
    private let hasLandlock: Bool
    private let groups: ControlGroups
    private let directories: WorkerDirectories?
    private let sampler: MemorySampler?
    private let number = Mutex(0)

    /// Looks at what the machine has.
    ///
    /// `data` is an absolute path.
    package init(_ settings: Settings, data: String) {
        let users = Result { () throws(IsolationFault) in try WorkerUsers(from: settings.firstUser) }
        let filters = Result { () throws(IsolationFault) in
            if !settings.sandbox { throw IsolationFault("workers.sandbox is off") }
            return try [0, 1, 2, 3].map { number throws(IsolationFault) in
                try SystemCallFilter(network: number & 1 != 0, fork: number & 2 != 0)
            }
        }
        let groups = settings.controlGroups ? ControlGroups.find() : .off("workers.cgroups is off")
        let ownUsers = try? users.get()
        let directories = Result { () throws(IsolationFault) in
            try WorkerDirectories(data: data, ownUsers: ownUsers != nil)
        }
        let landlock = swiftlet_landlock_version()
        hasLandlock = settings.sandbox && landlock > 0
        self.users = Mutex(ownUsers)
        self.filters = (try? filters.get()) ?? []
        self.groups = groups
        self.directories = try? directories.get()
        let hasMemory = (try? groups.memory.get()) != nil
        sampler = hasMemory ? nil : MemorySampler()
        let noLandlock = settings.sandbox ? "the kernel has none" : "workers.sandbox is off"
        features = [
            Feature("users", users) { "each function its own, from \($0.first)" },
            Feature("seccomp", filters) { _ in "no processes, no sockets but what is granted" },
            hasLandlock
                ? Feature(name: "landlock", isOn: true, detail: "version \(landlock)")
                : Feature(name: "landlock", isOn: false, detail: noLandlock),
            Feature("memory", groups.memory, else: "RLIMIT_DATA and a look every second") {
                "cgroup \($0)"
            },
            Feature("pids", groups.pids) { "cgroup \($0)" },
            Feature("directories", directories) { $0.root },
            Feature(name: "limits", isOn: true, detail: "open files, processor time, no core, not dumpable"),
        ]
    }

    /// Makes the place for one worker.
    ///
    /// Blocks for the time of a few system calls.
    /// - Throws: why it cannot be made.
    package func cell(for needs: Needs) throws -> WorkerCell {
        let name = number.withLock { number in
            number += 1
            return "\(needs.function).\(number)"
        }
        let uid = users.withLock { $0?.user(of: needs.function) } ?? 0
        let inGroup = (try? groups.memory.get()) != nil
        var confinement = Confinement()
        // In a group the limit holds what is used; this one, before the group is entered, what is asked for.
        confinement.memory = UInt64(inGroup ? 2 * needs.memory : needs.memory)
        confinement.openFiles = UInt32(clamping: needs.openFiles)
        confinement.cpuSeconds = UInt32(clamping: needs.cpuSeconds)
        confinement.uid = uid
        if uid != 0, (try? groups.pids.get()) == nil {
            // Counts what all workers of the function have together.
            confinement.processes = UInt32(8 * WorkerIsolation.threadsMax)
        }
        confinement.network = needs.network
        confinement.readable = hasLandlock ? WorkerIsolation.readable : nil
        if let directories { confinement.directory = try directories.make(name, uid: uid) }
        let filter = filters.isEmpty ? nil : filters[(needs.network ? 1 : 0) + (needs.fork ? 2 : 0)]
        return WorkerCell(confinement, filter, sampler, memory: needs.memory) { [groups] in
            try WorkerGroup(
                groups,
                name: name,
                memory: needs.memory,
                processes: WorkerIsolation.threadsMax
            )
        }
    }

    /// Removes what is left once all workers are gone.
    ///
    /// Blocks; a second at most, for cells that are being cleared.
    package func close() {
        for _ in 0..<100 where !groups.remove() { usleep(10_000) }
        if let directories { _ = swiftlet_remove_tree(directories.root) }
    }

    /// Dispatch starts up to 64 threads for work that blocks, Swift one a processor; the rest is room.
    private static let threadsMax = 160 + 2 * Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    /// What every program reads: libraries, certificates, names and zones, and /proc, where Dispatch looks for its
    /// threads by their ids alone; of other processes it does not give away memory, environments or files.
    private static let readable = [
        "/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ssl", "/etc/ld.so.cache", "/etc/localtime",
        "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/gai.conf",
        "/etc/services", "/etc/protocols", "/etc/passwd", "/etc/group", "/dev/urandom", "/dev/random",
        "/dev/zero",
        "/proc", "/sys/devices/system/cpu",
    ]
}

extension WorkerIsolation.Feature {
    init<Value>(
        _ name: String,
        _ result: Result<Value, IsolationFault>,
        else instead: String? = nil,
        _ detail: (Value) -> String
    ) {
        self.name = name
        switch result {
        case .success(let value): (isOn, self.detail) = (true, detail(value))
        case .failure(let fault):
            (isOn, self.detail) = (false, fault.description + (instead.map { "; \($0)" } ?? ""))
        }
    }
}
