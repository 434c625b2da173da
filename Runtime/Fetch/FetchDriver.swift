import CCurl
import Glibc
import Synchronization

/// The thread on which all asynchronous transfers run. Everything else talks to it through an inbox and a
/// wake-up.
///
/// At most `maxTransfers` run at once; as many again times four wait in order, and what comes then is refused
/// as busy.
// SAFETY: `multi` is used by the driver's thread alone, but for curl_multi_wakeup, which libcurl allows from
// any thread; it is freed only once the thread has gone, because the thread holds the driver.
final class FetchDriver: @unchecked Sendable {
    private enum Command {
        case start(Exchange)
        case cancel(Exchange)
        case resume(Exchange)
    }

    private struct Inbox {
        var commands: [Command] = []
        var isStopping = false
        /// Running and waiting.
        var load = 0
    }

    private let multi: UnsafeMutableRawPointer
    private let settings: Fetcher.Settings
    private let inbox = Mutex(Inbox())

    init(_ settings: Fetcher.Settings) throws(FetchError) {
        try CurlLibrary.start()
        guard let multi = curl_multi_init() else {
            throw FetchError(.closed, "libcurl gives no multi handle")
        }
        self.multi = multi
        self.settings = settings
        ccurl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, settings.maxTransfers)
        ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, settings.perHost)
        // Idle connections kept for the next request.
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.maxTransfers / 2)
        startDriverThread { [self] in run() }
    }

    deinit {
        curl_multi_cleanup(multi)
    }

    // MARK: - From any thread

    func start(_ exchange: Exchange) {
        let limit = settings.maxTransfers * 5
        let refusal: FetchError? = inbox.withLock { inbox in
            if inbox.isStopping { return FetchError(.closed, "the fetcher has been shut down") }
            guard inbox.load < limit else {
                return FetchError(.busy, "\(limit) requests are under way or wait")
            }
            inbox.load += 1
            inbox.commands.append(.start(exchange))
            return nil
        }
        if let refusal { exchange.finish(refusal) } else { curl_multi_wakeup(multi) }
    }

    func cancel(_ exchange: Exchange) {
        exchange.markCancelled()
        post(.cancel(exchange))
    }

    func resume(_ exchange: Exchange) { post(.resume(exchange)) }

    /// Fails what runs and waits, and ends the thread.
    func stop() {
        inbox.withLock { $0.isStopping = true }
        curl_multi_wakeup(multi)
    }

    private func post(_ command: Command) {
        let isOpen = inbox.withLock { inbox in
            if !inbox.isStopping { inbox.commands.append(command) }
            return !inbox.isStopping
        }
        if isOpen { curl_multi_wakeup(multi) }
    }

    // MARK: - On the driver's thread

    private struct Running {
        var exchange: Exchange
        var transfer: Transfer
    }

    private func run() {
        var running: [UnsafeMutableRawPointer: Running] = [:]
        var waiting: [Exchange] = []
        while true {
            let (commands, isStopping) = inbox.withLock { inbox in
                defer { inbox.commands = [] }
                return (inbox.commands, inbox.isStopping)
            }
            for command in commands { obey(command, &running, &waiting) }
            if isStopping { break }
            while running.count < settings.maxTransfers, !waiting.isEmpty {
                begin(waiting.removeFirst(), &running)
            }
            var active: Int32 = 0
            curl_multi_perform(multi, &active)
            if reap(&running) { continue }
            // libcurl shortens the wait to its own next time limit.
            curl_multi_poll(multi, nil, 0, 60_000, nil)
        }
        let closed = FetchError(.closed, "the fetcher has been shut down")
        for one in running.values {
            curl_multi_remove_handle(multi, one.transfer.easy)
            one.exchange.finish(closed)
        }
        waiting.forEach { $0.finish(closed) }
    }

    private func obey(
        _ command: Command,
        _ running: inout [UnsafeMutableRawPointer: Running],
        _ waiting: inout [Exchange]
    ) {
        switch command {
        case .start(let exchange):
            // A cancellation may have come before the start.
            if exchange.isCancelled { end(exchange, .gaveUp) } else { waiting.append(exchange) }
        case .cancel(let exchange):
            if let index = waiting.firstIndex(where: { $0 === exchange }) {
                waiting.remove(at: index)
                end(exchange, .gaveUp)
            } else if let found = running.first(where: { $0.value.exchange === exchange }) {
                curl_multi_remove_handle(multi, found.key)
                running[found.key] = nil
                end(exchange, .gaveUp)
            }
        case .resume(let exchange):
            if let found = running.first(where: { $0.value.exchange === exchange }) {
                curl_easy_pause(found.key, 0)
            }
        }
    }

    private func begin(_ exchange: Exchange, _ running: inout [UnsafeMutableRawPointer: Running]) {
        let options = Transfer.Options(
            allow: settings.allow,
            connectTimeout: settings.connectTimeout,
            proxy: settings.proxy
        )
        do {
            let transfer = try Transfer(
                exchange.request,
                options: options,
                onHead: { exchange.deliver($0) },
                onPiece: { exchange.deliver($0) }
            )
            running[transfer.easy] = Running(exchange: exchange, transfer: transfer)
            curl_multi_add_handle(multi, transfer.easy)
        } catch {
            end(exchange, error)
        }
    }

    /// Takes the transfers that have ended; true where one of them made room or runs again.
    private func reap(_ running: inout [UnsafeMutableRawPointer: Running]) -> Bool {
        var changed = false
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else {
                continue
            }
            let code = message.pointee.data.result
            changed = true
            curl_multi_remove_handle(multi, easy)
            guard let one = running[easy] else { continue }
            switch one.transfer.conclude(code) {
            case .again:
                curl_multi_add_handle(multi, easy)
            case .finished(let error):
                running[easy] = nil
                end(one.exchange, error)
            }
        }
        return changed
    }

    private func end(_ exchange: Exchange, _ error: FetchError?) {
        inbox.withLock { $0.load -= 1 }
        exchange.finish(error)
    }
}

/// Starts a detached thread.
private func startDriverThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    // SAFETY: the box is retained here and released by the thread, exactly once.
    let box = Unmanaged.passRetained(Box(body)).toOpaque()
    var thread = pthread_t()
    let error = pthread_create(
        &thread,
        nil,
        { argument in
            // SAFETY: the argument is the box retained above.
            if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        },
        box
    )
    precondition(error == 0, "the system allows no further thread; raise the limit on tasks")
    pthread_detach(thread)
}
