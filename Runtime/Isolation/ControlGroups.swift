import FunctionCore
import Glibc

/// Where the host may make groups of processes that share limits: cgroup v2 where it is delegated, else the v1
/// controllers.
struct ControlGroups: Sendable {
    /// Under which directory workers get a group with that controller, or why there is none.
    let memory: Result<String, IsolationFault>
    let pids: Result<String, IsolationFault>

    static func off(_ why: String) -> ControlGroups {
        ControlGroups(memory: .failure(IsolationFault(why)), pids: .failure(IsolationFault(why)))
    }

    /// Looks, and makes a directory for this host's workers.
    static func find() -> ControlGroups {
        let places = Places(
            groups: readSmall("/proc/self/cgroup") ?? "",
            mounts: readSmall("/proc/self/mountinfo") ?? ""
        )
        if let unified = places.unified, controllers(of: unified).isSuperset(of: ["memory", "pids"]) {
            let directory = Result { () throws(IsolationFault) in try delegate(unified) }
            return ControlGroups(memory: directory, pids: directory)
        }
        return ControlGroups(memory: first(places, "memory"), pids: first(places, "pids"))
    }

    /// A directory below the host's group of a v1 controller.
    private static func first(_ places: Places, _ controller: String) -> Result<String, IsolationFault> {
        Result { () throws(IsolationFault) in
            guard let own = places.controllers[controller] else {
                throw IsolationFault("no cgroup with the controller \(controller) is mounted")
            }
            return try make(below: own)
        }
    }

    private static func controllers(of directory: String) -> Set<Substring> {
        let text = readSmall("\(directory)/cgroup.controllers") ?? ""
        return Set(text.split { $0 == " " || $0 == "\n" })
    }

    /// Makes groups below the host's own possible: v2 wants a group's processes in its leaves, so the host moves to
    /// one.
    private static func delegate(_ own: String) throws(IsolationFault) -> String {
        let host = try make(below: own, "host")
        try write("\(getpid())", to: "\(host)/cgroup.procs")
        do {
            try write("+memory +pids", to: "\(own)/cgroup.subtree_control")
        } catch {
            throw IsolationFault(
                "\(error); give the host a group of its own (systemd: Delegate=memory pids)"
            )
        }
        let workers = try make(below: own)
        try write("+memory +pids", to: "\(workers)/cgroup.subtree_control")
        return workers
    }

    /// Makes `swiftlet-PID`, and removes those of hosts that are gone.
    private static func make(below own: String, _ suffix: String = "") throws(IsolationFault) -> String {
        for name in names(in: own) where name.hasPrefix("swiftlet-") {
            let digits = name.dropFirst(9).prefix { $0.isNumber }
            guard let pid = Int32(digits), kill(pid, 0) != 0, errno == ESRCH else { continue }
            for inner in names(in: "\(own)/\(name)") { rmdir("\(own)/\(name)/\(inner)") }
            rmdir("\(own)/\(name)")
        }
        let path = "\(own)/swiftlet-\(getpid())\(suffix)"
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system("mkdir \(path)") }
        return path
    }

    /// Removes this host's directories; false while a worker's group is still in one.
    func remove() -> Bool {
        var isGone = true
        for case .success(let path) in [memory, pids] where rmdir(path) != 0 && errno != ENOENT {
            isGone = false
        }
        return isGone
    }
}

/// Where the host's own groups stand in the file system.
struct Places: Equatable {
    /// Of the v2 hierarchy.
    var unified: String?
    /// Of each v1 controller.
    var controllers: [String: String] = [:]

    /// From the texts of /proc/self/cgroup and /proc/self/mountinfo.
    init(groups: String, mounts: String) {
        var paths: [String: String] = [:]
        for line in groups.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            for name in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                paths[String(name)] = String(parts[2])
            }
        }
        for line in mounts.split(separator: "\n") {
            // 25 20 0:22 ROOT POINT options … - type source options
            let halves = line.split(separator: " - ", maxSplits: 1)
            guard halves.count == 2 else { continue }
            let fields = halves[0].split(separator: " ")
            let kind = halves[1].split(separator: " ")
            guard fields.count > 4, kind.count > 2 else { continue }
            let (root, point) = (String(fields[3]), String(fields[4]))
            func place(_ path: String) -> String {
                // In a container the mount may show a part of the hierarchy alone.
                var inner = path.hasPrefix(root) && root != "/" ? String(path.dropFirst(root.count)) : path
                while inner.hasSuffix("/") { inner.removeLast() }
                return point + inner
            }
            // A hierarchy may be mounted a second time, in somebody's chroot: the first one stays.
            if kind[0] == "cgroup2", unified == nil, let path = paths[""] { unified = place(path) }
            guard kind[0] == "cgroup" else { continue }
            for option in kind[2].split(separator: ",") {
                guard controllers[String(option)] == nil, let path = paths[String(option)] else { continue }
                controllers[String(option)] = place(path)
            }
        }
    }
}

/// The group of one worker, with its limits.
struct WorkerGroup: Sendable {
    private let memory: String?
    private let paths: Set<String>

    init(_ groups: ControlGroups, name: String, memory limit: Int, processes: Int) throws(IsolationFault) {
        let memory = try? groups.memory.get()
        let pids = try? groups.pids.get()
        self.memory = memory.map { "\($0)/\(name)" }
        paths = Set([memory, pids].compactMap { $0.map { "\($0)/\(name)" } })
        do throws(IsolationFault) {
            for path in paths {
                guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system("mkdir \(path)") }
            }
            if let path = self.memory { try WorkerGroup.limit(path, memory: limit) }
            if let path = pids.map({ "\($0)/\(name)" }) { try write("\(processes)", to: "\(path)/pids.max") }
        } catch {
            paths.forEach { rmdir($0) }
            throw error
        }
    }

    private static func limit(_ path: String, memory: Int) throws(IsolationFault) {
        if access("\(path)/memory.max", F_OK) == 0 {
            try write("\(memory)", to: "\(path)/memory.max")
            // Not there on a kernel without swap.
            try? write("0", to: "\(path)/memory.swap.max")
            try? write("1", to: "\(path)/memory.oom.group")
        } else {
            try write("\(memory)", to: "\(path)/memory.limit_in_bytes")
            try? write("\(memory)", to: "\(path)/memory.memsw.limit_in_bytes")
        }
    }

    /// Takes a process in.
    ///
    /// The kernel may take 10 ms and more for the first after a pause.
    func enter(_ pid: Int32) throws(IsolationFault) {
        for path in paths {
            do {
                try write("\(pid)", to: "\(path)/cgroup.procs")
            } catch {
                // It may be gone already.
                if kill(pid, 0) == 0 { throw error }
            }
        }
    }

    /// Whether the kernel has killed a process for the group's limit.
    var wasExhausted: Bool {
        guard let memory else { return false }
        let text = readSmall("\(memory)/memory.events") ?? readSmall("\(memory)/memory.oom_control") ?? ""
        return text.split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.first == "oom_kill" && words.last != "0"
        }
    }

    /// Ends what has stayed behind and removes the group; false where somebody is still in it.
    func remove() -> Bool {
        var left = false
        for path in paths where rmdir(path) != 0 && errno != ENOENT {
            left = true
            for pid in (readSmall("\(path)/cgroup.procs") ?? "").split(separator: "\n") {
                if let pid = Int32(pid), pid > 0 { kill(pid, SIGKILL) }
            }
        }
        return !left
    }
}

/// A small file's text, or nil.
func readSmall(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return String(decoding: all, as: UTF8.self) }
        all += buffer[..<count]
    }
}

/// Writes into a file of the kernel's, by one call.
private func write(_ text: String, to path: String) throws(IsolationFault) {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(path) }
    defer { close(descriptor) }
    guard Glibc.write(descriptor, text, text.utf8.count) >= 0 else { throw .system(path) }
}

/// The names in a directory.
func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            // SAFETY: the kernel ends d_name with a zero within its 256 bytes.
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
