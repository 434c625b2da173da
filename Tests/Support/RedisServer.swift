import Dispatch
import Glibc
import Synchronization

/// A private redis-server for a test: a socket in a directory of its own, killed and removed at the end.
///
/// It also ends when the test process dies: a shell waits at its side for the end of a pipe.
package final class RedisServer: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private struct Running {
        var pid: pid_t
        var lifeline: Int32
    }

    /// `unix://…`; the same after a restart.
    package let url: String
    package let directory: String
    private let isPersistent: Bool
    private let extra: [String]
    private let running = Mutex<Running?>(nil)

    /// Runs `body` with a server's URL.
    package static func with<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        try await run { try await body($0.url) }
    }

    /// Runs `body` with a server that it may stop and start.
    ///
    /// `arguments` go to the server behind its own. A persistent one has each write in a file before it answers, to be found after a restart.
    package static func run<Result>(
        persistent: Bool = false,
        arguments: [String] = [],
        _ body: (RedisServer) async throws -> Result
    ) async throws -> Result {
        let server = try RedisServer(persistent: persistent, arguments)
        do {
            try await server.start()
            let result = try await body(server)
            await server.remove()
            return result
        } catch {
            await server.remove()
            throw error
        }
    }

    private init(persistent: Bool, _ arguments: [String]) throws {
        extra = arguments
        var template = Array("/tmp/swiftlet-redis-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Failure(description: "no temporary directory: errno \(errno)")
        }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        url = "unix://\(directory)/s"
        isPersistent = persistent
    }

    /// Starts the server, with what it had written where it is persistent, and waits until it answers.
    package func start() async throws {
        try await RedisServer.onThread { [self] in
            try spawn()
            for _ in 0..<1000 {
                if ping() { return }
                usleep(10_000)
            }
            throw Failure(
                description: "redis-server does not answer; is it installed? apt-get install redis-server"
            )
        }
    }

    /// Kills the server as a crash would.
    package func kill() async {
        try? await RedisServer.onThread { [self] in
            guard let process = running.withLock({ $0.take() }) else { return }
            Glibc.kill(-process.pid, SIGKILL)
            var status: Int32 = 0
            while waitpid(process.pid, &status, 0) < 0, errno == EINTR {}
            close(process.lifeline)
            unlink("\(directory)/s")
        }
    }

    /// Has the server stand still, as a machine that is too busy or a network that is cut would.
    package func pause() { signal(SIGSTOP) }

    /// Has it go on.
    package func resume() { signal(SIGCONT) }

    private func signal(_ number: Int32) {
        if let pid = running.withLock({ $0?.pid }) { Glibc.kill(-pid, number) }
    }

    /// Says something to the server, on a connection of its own.
    package func ask(_ words: String...) async throws -> RedisAnswer { try await ask(words) }

    package func ask(_ words: [String]) async throws -> RedisAnswer {
        let socket = "\(directory)/s"
        return try await TestSupport.onThread { try RedisAnswer.ask(socket, words) }
    }

    private func remove() async {
        await kill()
        try? await RedisServer.onThread { [self] in
            for path in ["\(directory)/appendonlydir", directory] {
                guard let entries = opendir(path) else { continue }
                while let entry = readdir(entries) {
                    let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                    }
                    if name != ".", name != ".." { unlink("\(path)/\(name)") }
                }
                closedir(entries)
                rmdir(path)
            }
        }
    }

    private func spawn() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Failure(description: "no pipe: errno \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(
            &actions,
            1,
            "\(directory)/log",
            O_WRONLY | O_CREAT | O_APPEND,
            0o600
        )
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        let script = "redis-server \"$@\" & child=$!; cat > /dev/null; kill -9 $child"
        let appending = isPersistent ? ["yes", "always"] : ["no", "no"]
        let arguments =
            ["sh", "-c", script, "sh", "--port", "0", "--unixsocket", "\(directory)/s", "--dir", directory]
            + [
                "--save", "", "--appendonly", appending[0], "--appendfsync", appending[1], "--daemonize",
                "no",
            ] + extra
        var pointers = arguments.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var pid: pid_t = 0
        let error = posix_spawn(&pid, "/bin/sh", &actions, &attributes, &pointers, environ)
        guard error == 0 else { throw Failure(description: "cannot start a shell: errno \(error)") }
        running.withLock { $0 = Running(pid: pid, lifeline: ends[1]) }
    }

    /// Whether the server answers PING, and no longer loads its file.
    private func ping() -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array("\(directory)/s".utf8)) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { return false }
        let command = Array("PING\r\n".utf8)
        guard write(descriptor, command, command.count) == command.count else { return false }
        var reply = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &reply, reply.count)
        return count > 0 && reply.starts(with: "+PONG".utf8)
    }

    /// Runs what blocks on a thread that is not one of Swift's pool.
    private static func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue(label: "redis-server").async {
                continuation.resume(with: Result { try body() })
            }
        }
    }
}
