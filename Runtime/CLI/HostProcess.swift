import Glibc
import HostKit
import Processes

/// The life of a host's process: signals, reloads, and the change of one process for another.
struct HostProcess {
    /// What the process hears of.
    private enum Fact: Sendable {
        case signal(Int32)
        case asked(Takeover.Request)
    }

    private let options: HostOptions
    private let signals: Signals
    private let environment: [String: String]
    private let facts: AsyncStream<Fact>
    private let feed: AsyncStream<Fact>.Continuation

    init(_ options: HostOptions, _ signals: Signals, _ environment: [String: String]) {
        self.options = options
        self.signals = signals
        self.environment = environment
        (facts, feed) = AsyncStream.makeStream(of: Fact.self, bufferingPolicy: .bufferingNewest(16))
    }

    /// Runs a host, and after a takeover that failed another one, until a signal or a successor ends it.
    func run(takesOver: Bool) async -> Never {
        // Whatever is written, by a library or a child as well, is for this user alone.
        umask(0o077)
        let feed = self.feed
        let signals = self.signals
        Task { for await number in signals.stream { feed.yield(.signal(number)) } }
        let predecessor = takesOver ? await follow() : nil
        var options = self.options
        if let predecessor { options.inheritance = predecessor.inheritance }
        var isFirst = true
        while true {
            let host: Host
            do {
                host = try await Host.start(options)
            } catch {
                leaveFor(error)
            }
            predecessor?.host.serving()
            options.manager?.ready(host.status)
            if isFirst, options.isDevelopment { Banner.show(host) }
            isFirst = false
            options.inheritance = await serve(host)
        }
    }

    /// Makes ready to take another host's place, and waits until that one has let go; nil where there is none.
    private func follow() async -> (host: Takeover.Predecessor, inheritance: Inheritance)? {
        let directory = options.configuration["data"]
        do {
            let found = try await onThread { () throws(HostError) in try Takeover.Predecessor(in: directory) }
            guard let found else { return nil }
            var options = self.options
            options.inheritance = Inheritance(listeners: found.listeners, lock: nil)
            try await Host.rehearse(options)
            return (found, try await onThread { () throws(HostError) in try found.takeOver() })
        } catch {
            leaveFor(error)
        }
    }

    /// Serves until the process ends, or until another one that was to take over has failed.
    private func serve(_ host: Host) async -> Inheritance {
        let feed = self.feed
        let listener =
            options.isDevelopment ? nil : Takeover.Listener(in: host.directory) { feed.yield(.asked($0)) }
        defer { listener?.stop() }
        if listener == nil, !options.isDevelopment {
            writeError(
                "nobody can take over: \(host.directory)/\(Takeover.name): \(String(cString: strerror(errno)))"
            )
        }
        // A terminal that is closed hangs up on the emulator in it; without one SIGHUP is a daemon's reload.
        let endsOnHangUp = options.isDevelopment && options.isTerminal
        for await fact in facts {
            switch fact {
            case .signal(SIGHUP) where !endsOnHangUp: Task { _ = await host.reload("SIGHUP") }
            case .signal(SIGUSR2): startSuccessor()
            case .signal:
                signals.exitOnNext()
                options.manager?.stopping("ending what runs")
                await host.stop()
                exit(0)
            case .asked(let request):
                if let kept = await handOver(host, to: request) { return kept }
            }
        }
        // The stream has no end.
        exit(70)
    }

    /// Nil where nothing has changed: the new host gave up before it could have anything.
    private func handOver(_ host: Host, to request: Takeover.Request) async -> Inheritance? {
        guard let listeners = try? await host.listeners() else { return nil }
        let kept = Inheritance(listeners: listeners, lock: nil)
        guard await onThread({ request.prepare(listeners) }) else {
            kept.close()
            return nil
        }
        let lock = await host.handOver()
        if await onThread({ request.complete(lock: lock) }) {
            options.manager?.succeeded(by: request.pid)
            exit(0)
        }
        writeError("process \(request.pid) did not take over; this host goes on")
        return Inheritance(listeners: listeners, lock: lock)
    }

    /// Starts this program as it is installed now, with the same arguments, to take over.
    private func startSuccessor() {
        guard !options.isDevelopment else { return }
        var arguments = Array(CommandLine.arguments.dropFirst())
        if !arguments.contains("--take-over") { arguments.append("--take-over") }
        // What the service manager gave was for this process alone, but for the socket to speak to it.
        let own = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID"]
        let environment = self.environment.filter { !own.contains($0.key) }
        var spec = ChildSpec(options.program, arguments, environment: environment)
        spec.descriptors = [1: 1, 2: 2]
        do {
            _ = try ChildProcess.spawn(spec) { status in
                if !status.succeeded { writeError("the successor ended with \(status); this host goes on") }
            }
        } catch {
            writeError("no successor: \(error)")
        }
    }
}

/// Runs what blocks on a thread of its own.
private func onThread<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
    let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
        startThread("takeover") {
            continuation.resume(returning: Result { () throws(Failure) in try body() })
        }
    }
    return try result.get()
}
