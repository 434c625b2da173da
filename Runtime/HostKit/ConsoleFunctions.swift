import Console
import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import Scheduling
import WorkerPool

/// What the console shows of functions.
extension ConsoleRoutes {
    func overview() async throws -> OverviewView {
        let manifests = host.project.manifests
        let readings = rates.readings(of: [nil] + manifests.map(\.name))
        var rows: [OverviewView.Row] = []
        for (manifest, reading) in zip(manifests, readings.dropFirst()) {
            let status = try? await host.dispatcher.pools[manifest.name]?.status().get()
            rows.append(
                OverviewView.Row(
                    name: manifest.name,
                    reading: reading,
                    workers: status?.workers ?? 0,
                    max: manifest.scale.max,
                    running: status?.running ?? 0,
                    waiting: status?.waiting ?? 0
                )
            )
        }
        let coming = await host.scheduler.upcoming(6).upcoming.map {
            OverviewView.Coming(at: $0.instant, schedule: $0.id, function: $0.function, window: $0.window)
        }
        return OverviewView(
            now: host.clock.now,
            uptime: .seconds((Monotonic.now - host.started).nanoseconds / 1_000_000_000),
            redisIsUp: host.redisIsUp,
            all: readings[0],
            rows: rows,
            coming: coming
        )
    }

    func functions() async throws -> [FunctionView] {
        var views: [FunctionView] = []
        for manifest in host.project.manifests { views.append(await view(manifest)) }
        return views
    }

    func function(_ request: EndpointRequest) async throws -> FunctionView {
        let name = request.parameters["name"] ?? ""
        guard let manifest = host.project.manifests.first(where: { $0.name == name }) else {
            throw FunctionError.notFound("There is no function \(name).")
        }
        var view = await view(manifest)
        view.settings = manifest.consoleSettings
        view.bindings = manifest.grants.map(\.binding)
        let samples = SampleEvents(manifest: manifest, book: host.project.book, now: host.clock.now)
        view.samples = samples.all.map { FunctionView.Sample($0) }
        view.reading = rates.readings(of: [name])[0]
        return view
    }

    private func view(_ manifest: Manifest) async -> FunctionView {
        var view = FunctionView(name: manifest.name)
        view.summary = manifest.summary
        view.file = manifest.file
        view.triggers = manifest.consoleTriggers
        for entry in host.project.book.entries where entry.function == manifest.name {
            view.triggers.append(FunctionView.Trigger("schedule", entry.kind.text))
        }
        if let status = try? await host.dispatcher.pools[manifest.name]?.status().get() {
            view.standing.workers = status.workers
            view.standing.idle = status.idle
            view.standing.running = status.running
            view.standing.waiting = status.waiting
            view.standing.wanted = status.why
        }
        return view
    }
}

extension FunctionView.Sample {
    init(_ event: Event) {
        let body = try? JSON.parse(event.body)
        let about =
            switch event.kind {
            case .http:
                [event.request?.method, event.request?.target].compactMap { $0 }.joined(separator: " ")
            case .websocket:
                "WebSocket \(event.request?.target ?? ""), \(event.connection.map { "\($0.phase)" } ?? "")"
            case .redis: "Redis \(body?["stream"]?.stringValue ?? "")"
            case .schedule: "schedule \(body?["schedule"]?.stringValue ?? "")"
            case .plain, .batch: "plain event"
            }
        self.init(
            title: event.operation.isEmpty ? about : "\(about) · \(event.operation)",
            event: EventDocument.json(event).bytes(pretty: true).text
        )
    }
}

extension Manifest {
    fileprivate var consoleTriggers: [FunctionView.Trigger] {
        var all = routes.map {
            FunctionView.Trigger(
                $0.async ? "HTTP, as a job" : "HTTP",
                "\($0.method) \($0.path)",
                $0.operation
            )
        }
        all += webSockets.map { FunctionView.Trigger("WebSocket", $0.path, $0.operation) }
        all += streams.map {
            FunctionView.Trigger("stream", "\($0.stream) · group \($0.group)", $0.operation)
        }
        all += lists.map { FunctionView.Trigger("list", $0.list, $0.operation) }
        all += channels.map { FunctionView.Trigger("channel", $0.channel, $0.operation) }
        return all
    }

    fileprivate var consoleSettings: [(name: String, value: String)] {
        var all: [(String, String)] = [
            ("timeout", spoken(limits.timeout)), ("memory", "\(limits.memoryMiB) MiB"),
            ("payload", spoken(bytes: limits.payload)),
            ("workers", "\(scale.min) to \(scale.max), idle for \(spoken(scale.idle))"),
            ("at once", "\(limits.maxInFlight) in all, \(limits.perWorker) a worker"),
            ("queue", "\(limits.queue) waiting"),
            (
                "retry",
                "\(retry.attempts) attempts, \(spoken(retry.backoff)) to \(spoken(retry.ceiling)) apart"
            ),
        ]
        if let batch { all.append(("batch", "\(batch.max) events within \(spoken(batch.window))")) }
        let rights = [permissions.network ? "network" : nil, permissions.fork ? "processes" : nil].compactMap
        { $0 }
        all.append(("permissions", rights.isEmpty ? "none" : rights.joined(separator: ", ")))
        for (name, _) in environment.sorted(by: { $0.key < $1.key }) { all.append(("environment", name)) }
        return all
    }
}
