import FunctionCore
import Glibc
import NIOCore
import Processes
import RedisTrigger
import Synchronization

/// Why the host's own Redis is not there.
package struct EmbeddedRedisError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case notInstalled = "redis_not_installed"
        case directory = "redis_directory"
        case notStarted = "redis_not_started"
        case leftover = "redis_leftover"
    }

    package let code: Code
    package let message: String

    package var description: String { "\(code.rawValue): \(message)" }
}

/// A redis-server of the host's own, for development: its data lies in the data directory, and it ends with
/// the host.
///
/// The host speaks to it by a Unix socket; a TCP port on 127.0.0.1, without a password, is there for
/// `redis-cli`. What it has acknowledged is on disk after a second (`appendfsync everysec`).
///
/// A Ctrl-C at the terminal does not reach it, as it has a process group of its own: the host ends first, and
/// shuts it down. A host that is killed leaves it running; the next start finds it by its pidfile and ends
/// it, as a server with unknown settings and without a parent is worse than the second that reading its file
/// takes.
package final class EmbeddedRedis: Sendable {
    /// `unix://…`, for `RedisURL`.
    package let url: String
    /// On 127.0.0.1.
    package let port: Int
    private let place: RedisPlace
    private let eventLoop: any EventLoop
    private let running: Mutex<Running>
    private var process: ChildProcess { running.withLock { $0.process } }
    private var exit: ExitLatch { running.withLock { $0.exit } }

    private struct Running {
        var process: ChildProcess
        var exit: ExitLatch
        var isLost = false
        var isStopping = false
    }

    private init(
        place: RedisPlace,
        port: Int,
        eventLoop: any EventLoop,
        process: ChildProcess,
        exit: ExitLatch
    ) {
        self.url = "unix://\(place.socket)"
        self.port = port
        self.place = place
        self.eventLoop = eventLoop
        running = Mutex(Running(process: process, exit: exit))
    }

    /// Starts the server of a data directory and waits until it has read its file and answers.
    ///
    /// The caller holds the directory's lock: nobody else starts one there at the same time.
    package static func start(
        dataDirectory: String,
        on eventLoop: any EventLoop
    ) async throws -> EmbeddedRedis {
        guard findExecutable("redis-server") != nil else {
            throw EmbeddedRedisError(
                code: .notInstalled,
                message:
                    "redis-server is missing: apt-get install redis-server, or name a server by REDIS_URL"
            )
        }
        let place = try RedisPlace(dataDirectory: dataDirectory)
        try await endLeftover(place, eventLoop)
        // Somebody may take the port between our asking and the server's binding.
        for attempt in 1...3 {
            let port = try freePort()
            let exit = ExitLatch()
            let spec = ChildSpec("redis-server", place.arguments(port: port), directory: place.directory)
            let process = try ChildProcess.spawn(spec) { exit.set($0) }
            let server = EmbeddedRedis(
                place: place,
                port: port,
                eventLoop: eventLoop,
                process: process,
                exit: exit
            )
            if try await server.answers() { return server }
            await server.stop(grace: .zero)
            if attempt == 3 { break }
        }
        throw EmbeddedRedisError(
            code: .notStarted,
            message: "redis-server does not start; the end of \(place.log): \(place.logTail)"
        )
    }

    /// Shuts the server down, and starts it again with the same data when the time is over; false where that is under way
    /// already.
    ///
    /// For somebody who wants to see what comes of it.
    package func lose(for time: Duration) -> Bool {
        let begins = running.withLock { running in
            defer { running.isLost = true }
            return !running.isLost && !running.isStopping
        }
        guard begins else { return false }
        Task {
            let back = NIODeadline.now() + .nanoseconds(time.nanoseconds)
            await end(.seconds(10))
            while NIODeadline.now() < back, !running.withLock({ $0.isStopping }) {
                try? await EmbeddedRedis.pause(eventLoop)
            }
            running.withLock { running in
                running.isLost = false
                let exit = ExitLatch()
                let spec = ChildSpec("redis-server", place.arguments(port: port), directory: place.directory)
                guard !running.isStopping,
                    let process = try? ChildProcess.spawn(spec, onExit: { exit.set($0) })
                else {
                    return
                }
                running.process = process
                running.exit = exit
            }
        }
        return true
    }

    /// Shuts the server down, so that all it holds is on disk; then by signals, where it does not go.
    package func stop(grace: Duration = .seconds(10)) async {
        running.withLock { $0.isStopping = true }
        await end(grace)
        place.removeShortDirectory()
    }

    private func end(_ grace: Duration) async {
        if grace > .zero, exit.status == nil {
            if let connection = try? await connect() {
                await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                    eventLoop.execute {
                        // It answers by closing the connection.
                        connection.submit(["SHUTDOWN"], timeout: grace) { _ in
                            connection.close()
                            continuation.resume()
                        }
                    }
                }
                if await hasExited(within: grace) { return }
            }
            process.signal(SIGTERM)
            if await hasExited(within: .seconds(3)) { return }
        }
        process.signal(SIGKILL)
        _ = await hasExited(within: .seconds(3))
    }

    // MARK: - Waiting

    /// Whether it answers PING: within 10 s of no answer at all, however long it says that it is loading.
    private func answers() async throws -> Bool {
        var left = 500
        while left > 0 {
            if exit.status != nil { return false }
            if let connection = try? await connect() {
                let reply = await ping(connection)
                if case .success(.simple) = reply { return true }
                if case .success(.error(let text)) = reply, text.hasPrefix("LOADING") { left += 1 }
            }
            left -= 1
            try await EmbeddedRedis.pause(eventLoop)
        }
        return false
    }

    private func connect() async throws -> RedisConnection {
        try await RedisConnection.connect(to: RedisURL(url), on: eventLoop, name: "swiftlet-host").get()
    }

    private func ping(_ connection: RedisConnection) async -> Result<RedisValue, RedisError> {
        await withCheckedContinuation { continuation in
            eventLoop.execute {
                connection.submit(["PING"], timeout: .seconds(5)) { reply in
                    connection.close()
                    continuation.resume(returning: reply)
                }
            }
        }
    }

    private func hasExited(within limit: Duration) async -> Bool {
        let end = NIODeadline.now() + .nanoseconds(limit.nanoseconds)
        while exit.status == nil, NIODeadline.now() < end {
            try? await EmbeddedRedis.pause(eventLoop)
        }
        return exit.status != nil
    }

    private static func pause(_ eventLoop: any EventLoop) async throws {
        try await eventLoop.scheduleTask(in: .milliseconds(20)) {}.futureResult.get()
    }

    // MARK: - Before the start

    /// Ends the server that a killed host left running in our directory; a clean end, as its data is ours.
    private static func endLeftover(_ place: RedisPlace, _ eventLoop: any EventLoop) async throws {
        guard let pid = place.leftover else {
            unlink(place.socket)
            return
        }
        for (signal, turns) in [(SIGTERM, 500), (SIGKILL, 150)] {
            kill(pid, signal)
            for _ in 0..<turns {
                if place.leftover != pid {
                    unlink(place.socket)
                    return
                }
                try await pause(eventLoop)
            }
        }
        throw EmbeddedRedisError(
            code: .leftover,
            message: "the redis-server \(pid) of an earlier host does not end; end it by hand: kill -9 \(pid)"
        )
    }

    /// A port that nobody has at the moment.
    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // SAFETY: the address lives through both calls, and `length` is its size.
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard descriptor >= 0, status else {
            throw EmbeddedRedisError(code: .notStarted, message: "no TCP port on 127.0.0.1 is free")
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// A child's end, once it is known.
private final class ExitLatch: Sendable {
    private let value = Mutex<ExitStatus?>(nil)

    var status: ExitStatus? { value.withLock { $0 } }

    func set(_ status: ExitStatus) { value.withLock { $0 = status } }
}
