import Activity
import Builds
import FunctionCore
import HTTPTrigger
import Invocations
import Journal
import NIOCore
import Observe
import Processes
import Providers
import RedisTrigger
import Scheduling
import Storage
import UserData
import WorkerPool

extension HostStarter {
    /// Opens the ports, and starts what works in the background.
    func serve(_ state: HostState, _ premises: Premises, _ supplies: HostSupplies) async throws -> Host {
        let directory = premises.directory
        let builtIn = BuiltInEndpoints(state)
        let endpoints = builtIn.routes + RemoteCalls(state, token: premises.settings.bindingsToken).routes
        let gateway = try makeGateway(state, premises.settings, endpoints, supplies.sockets)
        let certificates = premises.settings.certificates.map {
            GatewayCertificates($0, clock: state.clock, telemetry: state.telemetry)
        }
        let (front, gatewayURL) = try await openGateway(
            gateway,
            certificates,
            state,
            premises.settings,
            supplies.group
        )
        state.stores.blobs.setBaseURL(gatewayURL)
        let triggers = makeTriggers(state, supplies.redis.client, directory: directory.path)
        let reloader = Reloader(
            state,
            source: premises.source,
            gateway: gateway,
            certificates: certificates,
            endpoints: endpoints,
            triggers: triggers,
            manager: options.manager
        )
        let credits = CreditRelay(state)
        let runner = makeRunner(state, credits)
        let back = try await openAdmin(state, runner, reloader, premises.settings, supplies.group)
        let host = Host(
            state,
            gatewayURL: gatewayURL,
            adminURL: premises.settings.admin.url(port: back.port),
            redis: supplies.redis.url,
            redisPort: supplies.redis.port,
            provider: supplies.provider.offline ? "offline" : supplies.provider.baseURL,
            directory: directory,
            next: await state.scheduler.upcoming(4),
            closing: closing,
            runner: runner,
            triggers: triggers,
            reloader: reloader,
            gateway: gateway,
            front: front,
            back: back,
            background: try background(state, runner, credits, supplies.redis.client, premises.settings)
                + watching(premises.source, reloader, state) + watched(supplies.group),
            grace: premises.settings.grace
        )
        await triggers.replace(state.project.manifests)
        directory.announce(gateway: gatewayURL, admin: host.adminURL)
        state.telemetry.note(
            .info,
            "host ready",
            [("gateway", .string(gatewayURL)), ("admin", .string(host.adminURL))]
        )
        return host
    }

    private func makeRunner(_ state: HostState, _ credits: CreditRelay) -> JobRunner {
        JobRunner(
            jobs: state.stores.journal.jobs,
            dispatching: state.dispatcher,
            loop: state.loop,
            clock: state.clock,
            manifests: state.manifests,
            telemetry: state.telemetry,
            trials: state.ports.trials,
            results: ResultBlobs(state.stores.blobs),
            ended: {
                state.scheduler.jobEnded($0.id, ScheduleMachine.RunEnd($0.state) ?? .cancelled)
                credits.jobEnded()
            }
        )
    }

    private func makeGateway(
        _ state: HostState,
        _ settings: HostSettings,
        _ endpoints: [EndpointRoute],
        _ sockets: SocketTable
    ) throws -> Gateway {
        let telemetry = state.telemetry
        var gatewaySettings = GatewaySettings()
        let header = configuration["gateway.principalHeader"]
        gatewaySettings.principalHeader = header.isEmpty ? nil : header
        gatewaySettings.proxies = settings.proxies
        gatewaySettings.compresses = settings.compresses
        gatewaySettings.trials = state.trials
        return Gateway(
            router: try Router(functions: state.project.manifests, endpoints: endpoints),
            settings: gatewaySettings,
            dispatching: state.dispatcher,
            jobs: state.ports,
            keeper: state.ports,
            sockets: sockets,
            limiter: state.limiter,
            hash: { sha256Hex($0) },
            report: { telemetry.request($0) }
        )
    }

    private func openGateway(
        _ gateway: Gateway,
        _ certificates: GatewayCertificates?,
        _ state: HostState,
        _ settings: HostSettings,
        _ group: any EventLoopGroup
    ) async throws -> (HTTPServer, url: String) {
        let clock = state.clock
        let server = try await HTTPServer.bind(
            host: configuration["gateway.host"],
            port: settings.gatewayPort,
            inherited: options.inheritance.listeners["gateway"],
            group: group,
            gateway: gateway,
            layer: certificates?.layer ?? PlainLayer(),
            clock: { clock.now }
        )
        closing.add { await server.stop(grace: .zero) }
        if let watch = certificates?.watch(on: state.loop) { closing.add { watch.cancel() } }
        let named = configuration["gateway.url"]
        let scheme = certificates == nil ? "http" : "https"
        return (server, named.isEmpty ? "\(scheme)://\(configuration["gateway.host"]):\(server.port)" : named)
    }

    private func openAdmin(
        _ state: HostState,
        _ runner: JobRunner,
        _ reloader: Reloader,
        _ settings: HostSettings,
        _ group: any EventLoopGroup
    ) async throws -> HTTPServer {
        let jobs = JobsAPI(host: state, runner: runner)
        let api = AdminAPI(host: state, access: settings.admin, jobs: jobs) {
            await reloader.reload("the admin API")
        }
        let routes = api.routes
        let console = ConsoleRoutes(host: state, jobs: api.jobs, access: settings.admin, api: routes)
        let router = try Router(
            endpoints: AdminGuard(access: settings.admin).guarded(routes) + console.routes
        )
        let server = try await HTTPServer.bind(
            host: settings.admin.bind,
            port: settings.adminPort,
            inherited: options.inheritance.listeners["admin"],
            group: group,
            gateway: Gateway(router: router, hash: { sha256Hex($0) }),
            clock: { state.clock.now }
        )
        closing.add { await server.stop(grace: .zero) }
        return server
    }

    private func background(
        _ state: HostState,
        _ runner: JobRunner,
        _ credits: CreditRelay,
        _ redis: RedisClient,
        _ settings: HostSettings
    ) throws -> [Task<Void, Never>] {
        let deliveries = try DeliveryRelay(
            deliveries: state.stores.journal.deliveries,
            publisher: EventPublisher(client: redis),
            key: configuration["webhook.key"],
            clock: state.clock,
            loop: state.loop,
            telemetry: state.telemetry
        )
        let relay = OutboxRelay(
            journal: state.stores.journal,
            shards: ShardOutbox(state.stores.shards),
            publisher: EventPublisher(client: redis),
            clock: state.clock,
            loop: state.loop,
            telemetry: state.telemetry
        )
        let housekeeping = Housekeeping(
            stores: state.stores,
            clock: state.clock,
            loop: state.loop,
            keepJobs: settings.keepJobs
        )
        let journal = state.stores.journal
        let shared = journal.jobOutbox.flatMap { outbox in
            journal.sharedSchedules.map { (outbox, $0) }
        }.map { outbox, schedules in
            SharedJobs(
                jobs: journal.jobs,
                outbox: outbox,
                schedules: schedules,
                scheduler: state.scheduler,
                clock: state.clock,
                loop: state.loop,
                telemetry: state.telemetry
            )
        }
        // What only the start needed is given back, once what it set off has come to rest.
        state.loop.scheduleTask(in: .seconds(1)) { startThread("idle-memory") { IdleMemory.release() } }
        return [
            Task { await shared?.run() },
            Task { await runner.run() }, Task { await relay.run() },
            Task {
                await state.scheduler.cancelJobs { _ = try await runner.cancel($0) }
                await state.scheduler.run()
            },
            Task { await housekeeping.run() }, Task { await credits.run() },
            Task { await deliveries.run() }, Task { await state.telemetry.rates.run(on: state.loop) },
        ]
    }

    private func watched(_ group: any EventLoopGroup) -> [Task<Void, Never>] {
        guard let manager = options.manager, manager.watchdog != nil else { return [] }
        return [Task { await manager.watch(group) }]
    }

    /// Every host sees that time zones have changed, and what is different on single days of a calendar; a development
    /// host, that any file of the project has.
    private func watching(
        _ source: ProjectSource,
        _ reloader: Reloader,
        _ state: HostState
    ) -> [Task<Void, Never>] {
        let zones = TimeZoneWatch(loop: state.loop) { state.live.current.project.book.zones }
        let rezoning = Task {
            await zones.run { names in
                let version = TimeZoneDatabase.version() ?? "unknown"
                let fields: [(String, JSON)] = [
                    ("zones", .string(names.joined(separator: " "))), ("tzdb", .string(version)),
                ]
                state.telemetry.note(.info, "time zones have changed", fields)
                _ = await reloader.reload("time zones have changed")
            }
        }
        let calendars = CalendarFiles(schedules: source.schedules)
        guard options.isDevelopment else {
            let watch = ProjectWatch(loop: state.loop) { calendars.overrideFiles }
            let cause = "a calendar's overrides have changed"
            return [rezoning, Task { await watch.run { _ = await reloader.reload(cause) } }]
        }
        let watch = ProjectWatch(loop: state.loop, bundle: source.bundle, folders: { source.folders }) {
            source.files
        }
        let watching = Task { await watch.run { _ = await reloader.reload("a file has changed") } }
        return [rezoning, watching] + building(source, reloader, state)
    }

    /// Builds what is saved, and puts it in force.
    private func building(
        _ source: ProjectSource,
        _ reloader: Reloader,
        _ state: HostState
    ) -> [Task<Void, Never>] {
        guard let plan = source.build else { return [] }
        let telemetry = state.telemetry
        state.build.onChange {
            telemetry.note($0)
            telemetry.activity.tell(.build($0.json))
        }
        let loop = state.loop
        let build = BackgroundBuild(plan, environment: options.environment, book: state.build) { time, body in
            loop.scheduleTask(in: .nanoseconds(time.nanoseconds), body)
        }
        return [Task { await build.run { await reloader.install($0) } }]
    }
}

extension Telemetry {
    /// What has become of a build.
    fileprivate func note(_ build: BuildState) {
        switch build {
        case .idle: break
        case .building: note(.debug, "building")
        case .failed(let errors, _):
            for error in errors {
                let fields: [(String, JSON)] = [
                    ("file", .string(error.file)), ("line", .integer(Int64(error.line))),
                    ("column", .integer(Int64(error.column))),
                ]
                note(.error, "build failed: \(error.text)", error.file.isEmpty ? [] : fields)
            }
            note(.warning, "what was built before serves on until the build succeeds")
        case .done(let functions, let time):
            let fields: [(String, JSON)] = [
                ("functions", .array(functions.map { .string($0) })),
                ("duration_ms", .number(time.milliseconds)),
            ]
            note(functions.isEmpty ? .debug : .info, "built", fields)
        }
    }
}
