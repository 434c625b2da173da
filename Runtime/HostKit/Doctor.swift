import FunctionCore
import Glibc
import Isolation
import Processes
import Settings
import Storage

/// What a machine has of that which a host needs.
package struct Doctor: Sendable {
    /// How bad it is where something is missing.
    package enum Verdict: String, Sendable {
        case good = "ok"
        /// Something is weaker, slower or not to be had.
        case warning
        /// A host does not start, or its functions do not run.
        case fault
    }

    /// One thing that was looked at.
    package struct Finding: Sendable {
        package var name: String
        package var verdict: Verdict
        /// What there is.
        package var detail: String
        /// What mends it; empty where nothing has to be.
        package var remedy: String

        package init(_ name: String, _ verdict: Verdict, _ detail: String, _ remedy: String = "") {
            self.name = name
            self.verdict = verdict
            self.detail = detail
            self.remedy = remedy
        }

        package var json: JSON {
            [
                "name": .string(name), "verdict": .string(verdict.rawValue), "detail": .string(detail),
                "remedy": .string(remedy),
            ]
        }
    }

    private let configuration: Configuration

    package init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// Looks at everything; takes a second at most.
    ///
    /// Changes nothing, but for a bound port that is let go at once.
    package func examine() async -> [Finding] {
        var findings = await programs()
        findings += [kernel(), openFiles(), disk(), clock(), zones()]
        findings += await isolation()
        findings += [
            port("gateway.port", on: configuration["gateway.host"]), port("admin.port", on: "127.0.0.1"),
        ]
        return findings
    }

    // MARK: Programs

    private func programs() async -> [Finding] {
        let wanted: [(name: String, arguments: [String], package: String, need: String)] = [
            ("swift", ["--version"], "", "to build functions; a bundle that is built runs without it"),
            (
                "redis-server", ["--version"], "redis-server",
                "for the private Redis of `dev`, unless REDIS_URL names one"
            ),
            ("ffmpeg", ["-version"], "ffmpeg", "for functions that are granted `render`"),
            ("ffprobe", ["-version"], "ffmpeg", "for functions that are granted `render`"),
            ("espeak-ng", ["--version"], "espeak-ng", "for functions that are granted `speech`"),
        ]
        var findings: [Finding] = []
        for program in wanted {
            guard let path = findExecutable(program.name) else {
                let remedy =
                    program.package.isEmpty
                    ? "install Swift 6.3 from https://swift.org/install and put it in PATH"
                    : "apt-get install \(program.package)"
                let isNeeded = program.name == "redis-server" && configuration["redis.url"].isEmpty
                findings.append(
                    Finding(program.name, isNeeded ? .fault : .warning, "missing: \(program.need)", remedy)
                )
                continue
            }
            let spec = ChildSpec(path, program.arguments)
            let output = try? await ChildProcess.run(spec, timeout: .seconds(10))
            let text = (output?.output.text ?? "") + (output?.errors.text ?? "")
            let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "it says nothing"
            let runs = output?.status.succeeded == true
            findings.append(
                Finding(
                    program.name,
                    runs ? .good : .warning,
                    runs ? line : "\(path) does not run: \(line)",
                    runs ? "" : "install it again"
                )
            )
        }
        return findings
    }

    // MARK: The machine

    private func kernel() -> Finding {
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

    private func openFiles() -> Finding {
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

    private func disk() -> Finding {
        let path = configuration["data"]
        var place = DataDirectory.absolute(path)
        if !place.hasPrefix("/") { place = "." }
        while access(place, F_OK) != 0, place.count > 1 { place = parent(of: place) }
        var status = statvfs()
        guard statvfs(place, &status) == 0, access(place, W_OK) == 0 else {
            let remedy = "choose another directory with --data, or give this user the right to write there"
            return Finding("data directory", .fault, "\(place) cannot be written to", remedy)
        }
        let free = Int(status.f_bavail) * Int(status.f_frsize) >> 20
        return Finding(
            "data directory",
            free >= 1024 ? .good : .warning,
            "\(place), \(free) MiB free",
            free >= 1024 ? "" : "free space: without it answers are 503 storage_full"
        )
    }

    private func clock() -> Finding {
        if access("/run/systemd/system", F_OK) != 0 {
            return Finding("clock", .good, "as the machine around it keeps it: no systemd runs here")
        }
        let services = ["/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid", "/run/ntpd.pid"]
        let isKept = services.contains { access($0, F_OK) == 0 }
        return Finding(
            "clock",
            isKept ? .good : .warning,
            isKept ? "kept right by a time service" : "no time service is seen to keep it right",
            isKept ? "" : "apt-get install systemd-timesyncd, or chrony: schedules fire by it"
        )
    }

    private func zones() -> Finding {
        let there = access("/usr/share/zoneinfo/Europe/Vienna", R_OK) == 0
        return Finding(
            "time zones",
            there ? .good : .fault,
            there ? "/usr/share/zoneinfo" : "there is no database of time zones",
            there ? "" : "apt-get install tzdata"
        )
    }

    private func isolation() async -> [Finding] {
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

    private func port(_ key: String, on host: String) -> Finding {
        let problems = Problems()
        let port = configuration.port(key, problems)
        guard problems.isEmpty else {
            return Finding(key, .fault, problems.all[0].message, problems.all[0].hint)
        }
        guard port != 0 else { return Finding(key, .good, "any free one") }
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var one: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        // SAFETY: the address lives during the call, and its size is its own.
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if bound == 0 { return Finding(key, .good, "\(port) is free") }
        let reason = String(cString: strerror(errno))
        let flag = key == "admin.port" ? "--admin-port" : "--port"
        return Finding(
            key,
            .warning,
            "\(port): \(reason)",
            "stop who has it (`ss -ltnp`), or take another: \(flag) 0"
        )
    }
}
