import FunctionCore
import NIOCore

/// A client that keeps one connection to a Redis server, and makes it again with a growing wait when it is
/// lost.
///
/// While there is no connection commands fail at once with `redis_unavailable`: whoever waits for Redis does
/// so knowingly. A client whose commands block (`XREADGROUP BLOCK`) must be nobody else's, as all others
/// would wait behind them; make one with `sibling`.
///
/// Threading: any, except where a member says that it belongs to `eventLoop`.
// SAFETY: all `var`s are touched on `eventLoop` only; members for other threads hop there first.
package final class RedisClient: @unchecked Sendable {
    private enum State {
        case idle
        case connecting
        case connected(RedisConnection, since: NIODeadline)
        case waiting(Scheduled<Void>)
        case closed
    }

    package let url: RedisURL
    package let eventLoop: any EventLoop
    private let name: String
    private let security: RedisConnection.Security?
    private let onChange: @Sendable (RedisError?) -> Void
    private let onMessage: (@Sendable (RedisMessage) -> Void)?
    private var state = State.idle
    private var failures = 0
    private var isReportedDown = false
    private var lastError = RedisError(.unavailable, "there is no connection to Redis yet")
    /// Waiters for the next connection: one per stream trigger, and `connect` callers for one attempt.
    private var connectWaiters: [() -> Void] = []
    private var attemptWaiters: [(RedisError?) -> Void] = []

    /// A client that does nothing yet; `onChange` hears of every connection made (nil) and of the first
    /// failure after it, on the loop; so does `onMessage` of messages of channels.
    package init(
        url: RedisURL,
        on eventLoop: any EventLoop,
        name: String = "swiftlet",
        security: RedisConnection.Security? = nil,
        onChange: @escaping @Sendable (RedisError?) -> Void = { _ in },
        onMessage: (@Sendable (RedisMessage) -> Void)? = nil
    ) {
        self.onMessage = onMessage
        self.security = security
        self.url = url
        self.eventLoop = eventLoop
        self.name = name
        self.onChange = onChange
    }

    /// A second client of the same server, for commands that block and for subscriptions.
    package func sibling(
        name: String,
        onChange: @escaping @Sendable (RedisError?) -> Void = { _ in },
        onMessage: (@Sendable (RedisMessage) -> Void)? = nil
    ) -> RedisClient {
        RedisClient(
            url: url,
            on: eventLoop,
            name: name,
            security: security,
            onChange: onChange,
            onMessage: onMessage
        )
    }

    /// Begins to connect, and goes on until `shutdown`.
    package func start() {
        onLoop { self.startOnLoop() }
    }

    /// Starts and waits for the first attempt.
    ///
    /// After a throw the client goes on trying by itself.
    package func connect() async throws(RedisError) {
        let error = await withCheckedContinuation { (continuation: CheckedContinuation<RedisError?, Never>) in
            onLoop {
                if case .connected = self.state { return continuation.resume(returning: nil) }
                if case .closed = self.state { return continuation.resume(returning: self.lastError) }
                self.attemptWaiters.append { continuation.resume(returning: $0) }
                self.startOnLoop()
            }
        }
        if let error { throw error }
    }

    /// Ends the connection and all attempts at another.
    ///
    /// Commands without a reply fail.
    package func shutdown() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            onLoop {
                self.close()
                continuation.resume()
            }
        }
    }

    // MARK: - Commands

    /// Sends a command and waits for its reply; a server's error reply is thrown.
    ///
    /// Cancelling the task does not give the command up: the wait is bounded by `timeout`.
    package func send(
        _ command: [Bytes],
        timeout: Duration = .seconds(5)
    ) async throws(RedisError) -> RedisValue {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<RedisValue, RedisError>, Never>) in
            onLoop {
                self.submit(command, timeout: timeout) { continuation.resume(returning: $0) }
            }
        }
        let reply = try result.get()
        if case .error(let text) = reply { throw RedisError(refusal: text) }
        return reply
    }

    /// The same for a command of words.
    package func send(
        _ command: [String],
        timeout: Duration = .seconds(5)
    ) async throws(RedisError) -> RedisValue {
        try await send(command.map { Bytes($0) }, timeout: timeout)
    }

    /// Sends commands one behind the other in one write and gives all replies, error replies included.
    ///
    /// At most 1024.
    package func pipeline(
        _ commands: [[Bytes]],
        timeout: Duration = .seconds(5)
    ) async throws(RedisError) -> [RedisValue] {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<[RedisValue], RedisError>, Never>) in
            onLoop {
                self.submit(all: commands, timeout: timeout) { continuation.resume(returning: $0) }
            }
        }
        return try result.get()
    }

    /// Runs commands in one MULTI/EXEC and gives their replies.
    /// - Throws: the server's error where it refused the transaction; nothing has been done then.
    package func transaction(
        _ commands: [[Bytes]],
        timeout: Duration = .seconds(5)
    ) async throws(RedisError) -> [RedisValue] {
        let replies = try await pipeline([["MULTI"]] + commands + [["EXEC"]], timeout: timeout)
        return try RedisClient.executed(replies)
    }

    /// The replies inside an EXEC's, out of those to MULTI, the commands and EXEC.
    static func executed(_ replies: [RedisValue]) throws(RedisError) -> [RedisValue] {
        if let results = replies.last?.array { return results }
        // The reply that tells most is the refused command's, before EXEC's own EXECABORT.
        guard case .error(let text)? = replies.first(where: \.isError) else {
            throw RedisError(.protocolError, "Redis did not answer EXEC with a list")
        }
        throw RedisError(refusal: text)
    }

    /// Sends a command; for callers on `eventLoop`, where `completion` is called.
    ///
    /// Error replies count as replies.
    package func submit(
        _ command: [Bytes],
        timeout: Duration = .seconds(5),
        _ completion: @escaping RedisConnection.Completion
    ) {
        guard case .connected(let connection, _) = state else { return completion(.failure(unavailable)) }
        connection.submit(command, timeout: timeout, completion)
    }

    /// Sends commands together; for callers on `eventLoop`.
    package func submit(
        all commands: [[Bytes]],
        timeout: Duration = .seconds(5),
        _ completion: @escaping (Result<[RedisValue], RedisError>) -> Void
    ) {
        guard case .connected(let connection, _) = state else { return completion(.failure(unavailable)) }
        connection.submit(all: commands, timeout: timeout, completion)
    }

    /// Calls back at once where there is a connection, else when there is one again.
    ///
    /// On `eventLoop`.
    package func whenConnected(_ callback: @escaping () -> Void) {
        eventLoop.preconditionInEventLoop()
        if case .connected = state { return callback() }
        connectWaiters.append(callback)
    }

    /// Shuts down; on `eventLoop`.
    package func close() {
        eventLoop.preconditionInEventLoop()
        let before = state
        state = .closed
        lastError = RedisError(.unavailable, "the Redis client was shut down")
        if case .waiting(let task) = before { task.cancel() }
        if case .connected(let connection, _) = before { connection.close() }
        connectWaiters = []
        attempted(lastError)
    }

    // MARK: - Connecting

    private var unavailable: RedisError {
        RedisError(.unavailable, "there is no connection to Redis at \(url): \(lastError.message)")
    }

    private func startOnLoop() {
        guard case .idle = state else { return }
        attempt()
    }

    private func attempt() {
        state = .connecting
        RedisConnection.connect(to: url, on: eventLoop, name: name, security: security).whenComplete {
            result in
            guard case .connecting = self.state else {
                if case .success(let connection) = result { connection.close() }
                return
            }
            switch result {
            case .success(let connection): self.connected(connection)
            case .failure(let error): self.lost((error as? RedisError) ?? RedisClient.describe(error))
            }
        }
    }

    private func connected(_ connection: RedisConnection) {
        state = .connected(connection, since: .now())
        connection.onMessage = onMessage
        connection.onClose = { [weak self] error in
            guard let self, case .connected(_, let since) = self.state else { return }
            // A server that takes connections only to drop them must not be asked every 100 ms.
            if NIODeadline.now() - since > .seconds(1) { self.failures = 0 }
            self.lost(error)
        }
        isReportedDown = false
        onChange(nil)
        let waiters = connectWaiters
        connectWaiters = []
        attempted(nil)
        for waiter in waiters { waiter() }
    }

    private func lost(_ error: RedisError) {
        lastError = error
        failures += 1
        if !isReportedDown {
            isReportedDown = true
            onChange(error)
        }
        let wait = RedisClient.backoff(after: failures)
        state = .waiting(
            eventLoop.scheduleTask(in: .nanoseconds(wait.nanoseconds)) { [weak self] in
                guard let self, case .waiting = self.state else { return }
                self.attempt()
            }
        )
        attempted(error)
    }

    private func attempted(_ error: RedisError?) {
        let waiters = attemptWaiters
        attemptWaiters = []
        for waiter in waiters { waiter(error) }
    }

    /// 100 ms, doubling up to 5 s, of which a random half is left out so that hosts do not come back in step.
    static func backoff(after failures: Int) -> Duration {
        let full = min(100 << min(max(failures - 1, 0), 10), 5000)
        return .milliseconds(Int.random(in: full / 2...full))
    }

    private static func describe(_ error: any Error) -> RedisError {
        RedisError(.unavailable, "the connection failed: \(error)")
    }

    private func onLoop(_ body: @escaping @Sendable () -> Void) {
        if eventLoop.inEventLoop { body() } else { eventLoop.execute(body) }
    }
}
