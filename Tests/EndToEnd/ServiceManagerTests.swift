import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("Under a service manager, and as process 1", .timeLimit(.minutes(1)))
    struct ServiceManagerTests {
        @Test("a service manager hears of readiness, signs of life, reloads and the end")
        func notify() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let inbox = try Inbox(at: "\(place.path)/notify")
            var options = FixtureProject.options(in: place.path)
            options.environment = ["NOTIFY_SOCKET": "\(place.path)/notify", "WATCHDOG_USEC": "200000"]
            try await DevHost.run(options) { host in
                try await inbox.wait(for: "READY=1\nSTATUS=")
                try await inbox.wait(for: "WATCHDOG=1")
                try await inbox.wait(for: "WATCHDOG=1")
                kill(try #require(host.pid), SIGHUP)
                let reloading = try await inbox.wait(for: "RELOADING=1")
                let stamp = reloading.split(separator: "\n").first { $0.hasPrefix("MONOTONIC_USEC=") }
                #expect(stamp.flatMap { UInt64($0.dropFirst(15)) } ?? 0 > 0, "\(reloading)")
                try await inbox.wait(for: "READY=1")
                kill(try #require(host.pid), SIGTERM)
                try await inbox.wait(for: "STOPPING=1")
                #expect(try await host.end() == .exited(0))
            }
        }

        @Test(
            "as process 1 of a container it reaps orphans, leaves no zombie, and ends by SIGTERM with 0",
            .enabled("needs root, and unshare(1) that may make a container") {
                await ServiceManagerTests.mayUnshare()
            }
        )
        func processOne() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let options = FixtureProject.options(in: place.path)
            let words =
                Self.container + [
                    "--kill-child", "\(Installed.directory)/swiftlet", "dev",
                    "--port", "0", "--admin-port", "0", "--data", "\(place.path)/data",
                    "--functions", options.functions ?? "", "--schedules", options.schedules ?? "",
                    "--bundle", options.bundle ?? "",
                ]
            let ran = Task {
                try await ChildProcess.run(ChildSpec("unshare", words), timeout: .seconds(40)).status
            }
            let gateway = try await ServeProcess.ready(nil, in: place.path).gateway
            #expect(try await HTTP.send("POST", "\(gateway)/echo", "{}", [.json]).status == 200)
            let first = try #require(try processOne(of: place.path))
            // A process of the container whose parent ends before it does.
            let orphan = ["-t", "\(first)", "-p", "-m", "sh", "-c", "(sleep 0.2; exit 3) & exit 0"]
            for _ in 0..<3 { _ = try await Ran.run(ChildSpec("nsenter", orphan)) }
            _ = try await eventually("that nothing is left of the orphans") {
                let children = Text.childrenWithZombies(of: first)
                return children.count == 1 && children.allSatisfy { Text.isAlive($0) } ? true : nil
            }
            kill(first, SIGTERM)
            #expect(try await ran.value == .exited(0))
        }

        /// Processes of its own, with a /proc that shows them; the propagation as it is, as under chroot there
        /// is no mount at the root to change it of.
        private static let container = ["--pid", "--fork", "--mount-proc", "--propagation", "unchanged"]

        private static func mayUnshare() async -> Bool {
            guard geteuid() == 0, findExecutable("nsenter") != nil else { return false }
            let ran = try? await ChildProcess.run(
                ChildSpec("unshare", container + ["true"]),
                timeout: .seconds(9)
            )
            return ran?.status == .exited(0)
        }

        /// The process 1 that runs a host of this place, by its number here.
        private func processOne(of place: String) throws -> pid_t? {
            Text.names(in: "/proc").compactMap { pid_t($0) }.first { pid in
                guard let status = Text.read("/proc/\(pid)/status"),
                    Text.read("/proc/\(pid)/cmdline")?.contains("\(place)/data") == true
                else { return false }
                let numbers = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
                return numbers?.split(separator: "\t").dropFirst().map(String.init).last == "1"
            }
        }
    }
}

/// A socket on which a service manager would listen.
private final class Inbox: Sendable {
    private let descriptor: Int32

    init(at path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let status = withUnsafePointer(to: &address) { pointer in
            // SAFETY: a sockaddr_un begins as a sockaddr does, and its own size is given with it.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0, "errno \(errno)")
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { close(descriptor) }

    /// Takes messages out until one begins so.
    @discardableResult
    func wait(for beginning: String) async throws -> String {
        try await eventually(beginning) {
            var buffer = [UInt8](repeating: 0, count: 1024)
            while true {
                let count = recv(self.descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return nil }
                let text = String(decoding: buffer[..<count], as: UTF8.self)
                if text.hasPrefix(beginning) { return text }
            }
        }
    }
}
