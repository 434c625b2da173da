import FunctionCore
import Glibc
import HostKit
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct InheritanceTests {
    private func listeners(_ count: String, _ names: String? = nil, pid: String = "7") -> [String: Int32] {
        var environment = ["LISTEN_PID": pid, "LISTEN_FDS": count]
        environment["LISTEN_FDNAMES"] = names
        return Inheritance(environment: environment, pid: 7, first: 1000).listeners
    }

    @Test("sockets that are passed on go by their names, others by their order")
    func names() {
        #expect(listeners("2") == ["gateway": 1000, "admin": 1001])
        #expect(listeners("2", "swiftlet.socket:swiftlet.socket") == ["gateway": 1000, "admin": 1001])
        #expect(listeners("2", "admin:gateway") == ["gateway": 1001, "admin": 1000])
        #expect(listeners("2", "admin:other") == ["gateway": 1001, "admin": 1000])
        #expect(listeners("1") == ["gateway": 1000])
        #expect(listeners("3", "gateway:gateway:x") == ["gateway": 1000, "admin": 1001])
    }

    @Test("sockets that are meant for another process, and nonsense, are left alone")
    func others() {
        #expect(listeners("2", pid: "8").isEmpty)
        #expect(listeners("0").isEmpty && listeners("many").isEmpty && listeners("99999").isEmpty)
        #expect(Inheritance(environment: [:]).listeners.isEmpty)
    }

    @Test("a data directory that is handed over stays held until the last holder lets go")
    func lock() throws {
        let workspace = Workspace()
        let first = try DataDirectory("\(workspace.path)/data")
        let lock = dup(first.handOver())
        first.release()
        #expect(throws: HostError.self) { try DataDirectory("\(workspace.path)/data") }
        let second = try DataDirectory("\(workspace.path)/data", inherited: lock)
        #expect(throws: HostError.self) { try DataDirectory("\(workspace.path)/data") }
        close(first.handOver())
        second.release()
        try DataDirectory("\(workspace.path)/data").release()
    }
}

@Suite(.timeLimit(.minutes(1)))
struct ServiceManagerNamesTests {
    @Test("a socket without a path is reached as well, and a message is one datagram")
    func abstract() throws {
        let name = "swiftlet-test-\(getpid())"
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: [0] + Array(name.utf8)) }
        let length = socklen_t(2 + 1 + name.utf8.count)
        let status = withUnsafePointer(to: &address) { pointer in
            // SAFETY: a sockaddr_un begins as a sockaddr does, and `length` lies within it.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(status == 0, "errno \(errno)")
        try #require(ServiceManager(environment: ["NOTIFY_SOCKET": "@\(name)"])).ready("well")
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "READY=1\nSTATUS=well")
    }

    @Test("without a socket nobody is told; a watch that is meant for another process is not kept")
    func nobody() {
        #expect(ServiceManager(environment: [:])?.watchdog == nil)
        #expect(
            ServiceManager(environment: ["NOTIFY_SOCKET": "relative", "WATCHDOG_USEC": "5"])?.watchdog == nil
        )
        var environment = ["NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"]
        #expect(ServiceManager(environment: environment, pid: 7)?.watchdog == .seconds(30))
        #expect(ServiceManager(environment: environment, pid: 8)?.watchdog == nil)
        environment["WATCHDOG_PID"] = nil
        #expect(ServiceManager(environment: environment, pid: 8)?.watchdog == .seconds(30))
    }
}
