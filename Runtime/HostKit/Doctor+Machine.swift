import CShims
import FunctionCore
import Glibc
import Isolation
import Settings
import Storage

// What the machine has: the kernel, its limits, the disk, the clock, the ports.

extension Doctor {
    func kernel() -> Finding {
        var name = utsname()
        uname(&name)
        let release = withUnsafeBytes(of: name.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let isRecent = numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 4)
        return Finding(
            "kernel",
            isRecent ? .good : .fault,
            "Linux \(release)",
            isRecent ? "" : "use Linux 5.4 or later: children are followed by pidfds"
        )
    }

    func openFiles() -> Finding {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let most = limit.rlim_max
        return Finding(
            "open files",
            most >= 4096 ? .good : .warning,
            "up to \(most)",
            most >= 4096 ? "" : "raise it, such as by `ulimit -Hn 65536` or LimitNOFILE= of systemd"
        )
    }

    func dataDirectory() -> Finding {
        let name = "data directory"
        let remedy = "choose another directory with --data, or give this user the right to write there"
        let path = configuration["data"]
        var place = path.hasPrefix("/") ? path : "\(DataDirectory.absolute("."))/\(path)"
        if let holder = DataDirectory.holder(place) {
            let mend = "use that host, stop it, or take another directory with --data"
            return Finding(name, .warning, "\(place) is held by the host with the pid \(holder)", mend)
        }
        while access(place, F_OK) != 0, place.count > 1 { place = parent(of: place) }
        // To be sure, something is made: rights are not all that may be in the way.
        var made = Array("\(place)/.swiftlet-doctor-XXXXXX".utf8CString)
        guard mkdtemp(&made) != nil else {
            let reason = String(cString: strerror(errno))
            return Finding(name, .fault, "\(place) cannot be written to: \(reason)", remedy)
        }
        rmdir(made)
        var status = statvfs()
        guard statvfs(place, &status) == 0 else {
            return Finding(name, .warning, "\(place), and nobody knows how much is free", "")
        }
        let free = (Int(status.f_bavail) * Int(status.f_frsize)) >> 20
        return Finding(
            name,
            free >= 1024 ? .good : .warning,
            "\(place), \(free) MiB free",
            free >= 1024 ? "" : "free space: without it answers are 503 storage_full"
        )
    }

    func clock() -> Finding {
        switch swiftlet_clock_error() {
        case -2: return Finding("clock", .good, "as the machine around keeps it: the kernel does not say how")
        case -1:
            let remedy =
                "apt-get install systemd-timesyncd, or chrony, where the clock is set: schedules fire by it"
            return Finding("clock", .warning, "no time service keeps it right", remedy)
        case let error: return Finding("clock", .good, "kept right, to \(max(1, error / 1000)) ms")
        }
    }

    func zones() -> Finding {
        let there = access("/usr/share/zoneinfo/Europe/Vienna", R_OK) == 0
        return Finding(
            "time zones",
            there ? .good : .fault,
            there ? "/usr/share/zoneinfo" : "there is no database of time zones",
            there ? "" : "apt-get install tzdata"
        )
    }

    func isolation() async -> [Finding] {
        let settings = HostSettings(configuration, problems: Problems())
        // Never the data directory: a host that runs there has its workers' folders in it.
        var place = Array("/tmp/swiftlet-doctor-XXXXXX".utf8CString)
        guard mkdtemp(&place) != nil else {
            return [
                Finding("isolation", .warning, "/tmp cannot be written to", "give this user the right to")
            ]
        }
        let path = String(decoding: place.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let isolation = WorkerIsolation(settings.isolation, data: path)
        let findings = isolation.features.map { feature in
            Finding(
                feature.name,
                feature.isOn ? .good : .warning,
                feature.isOn ? "on" : "off: \(feature.detail)",
                feature.isOn ? "" : "functions run without it; root, and a kernel that has it, turn it on"
            )
        }
        await isolation.closed()
        rmdir(path)
        return findings
    }

    func port(_ key: String, on host: String) -> Finding {
        let problems = Problems()
        let port = configuration.port(key, problems)
        guard problems.isEmpty else {
            return Finding(key, .fault, problems.all[0].message, problems.all[0].hint)
        }
        guard port != 0 else { return Finding(key, .good, "any free one") }
        let reason = Doctor.bind(host, port)
        guard reason != 0 else { return Finding(key, .good, "\(port) is free on \(host)") }
        let text = "\(port) on \(host): \(String(cString: strerror(reason)))"
        let flag = key == "admin.port" ? "--admin-port" : "--port"
        switch reason {
        case EADDRINUSE:
            return Finding(key, .warning, text, "stop who has it (`ss -ltnp`), or take another: \(flag) 0")
        case EACCES:
            return Finding(key, .fault, text, "take one from 1024 by \(flag), or give the right to bind it")
        default:
            return Finding(key, .fault, text, "name an address that this machine has")
        }
    }

    /// Binds a port and lets it go; 0 or the reason why it cannot be.
    private static func bind(_ host: String, _ port: Int) -> Int32 {
        var wish = addrinfo()
        wish.ai_socktype = Int32(SOCK_STREAM.rawValue)
        wish.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &wish, &found) == 0, let address = found?.pointee else {
            return EADDRNOTAVAIL
        }
        defer { freeaddrinfo(found) }
        let socket = Glibc.socket(address.ai_family, address.ai_socktype, 0)
        guard socket >= 0 else { return errno }
        defer { close(socket) }
        var one: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        return Glibc.bind(socket, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno
    }
}
