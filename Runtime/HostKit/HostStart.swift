import FunctionCore
import Glibc
import HTTPTrigger
import Invocations
import Journal
import NIOCore
import NIOPosix
import Observe
import Processes
import Providers
import RedisTrigger
import Scheduling
import Settings
import Storage
import UserData
import WorkerPool

extension Host {
    /// Brings a host up. What fails leaves nothing behind.
    /// - Throws: `HostError`, `ConfigurationError` with all problems, `StorageError`, `ServerError`.
    package static func start(_ options: HostOptions) async throws -> Host {
        let closing = HostClosing()
        do {
            return try await HostStarter(options, closing).start()
        } catch {
            await closing.closeAll()
            throw error
        }
    }
}

/// The steps of a start, in their order.
private struct HostStarter {
    let options: HostOptions
    let closing: HostClosing
    let configuration: Configuration
    let problems = Problems()

    init(_ options: HostOptions, _ closing: HostClosing) {
        self.options = options
        self.closing = closing
        configuration = options.configuration
    }

    func start() async throws -> Host {
        let settings = try readSettings()
        let directory = try DataDirectory(configuration["data"])
        closing.add { directory.release() }
        let clock = VirtualClock()
        if let at = settings.at { clock.set(at) }
        if settings.speed != 1 { clock.setSpeed(settings.speed) }
        let log = LogWriter(
            path: "\(directory.path)/logs/swiftlet.jsonl",
            fileMax: settings.logMax,
            console: console,
            level: settings.level,
            redactor: Redactor(secrets: configuration.secrets)
        )
        closing.add { log.close() }
        let telemetry = Telemetry(log: log, clock: clock)
        let bundle = try await Bundle.load(bundlePath, into: "\(directory.path)/bundles")
        let project = Project.load(
            functions: configuration["functions"],
            schedules: configuration["schedules"],
            bundle: bundle.functions,
            problems: problems
        )
        let market = readMarket()
        guard problems.isEmpty else { throw ConfigurationError(problems.all) }

        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.loops)
        closing.add { try? await group.shutdownGracefully() }
        let loop = group.next()
        let health = RedisHealth()
        let (redisURL, redis) = try await startRedis(directory.path, loop, health, telemetry)
        let provider = try await startProvider()
        let stores = try await HostStores.open(directory.path, clock: clock, blobCapacity: settings.blobMax)
        closing.add { await stores.close() }
        let recovered = try await stores.journal.recover(now: clock.now)
        if recovered.jobs > 0 {
            telemetry.note(.info, "jobs of the last host queued again", [("jobs", .integer(Int64(recovered.jobs)))])
        }
        let tokens = WindowTokens(rotationOf: project.book.rotationOf, clock: clock)
        let services = try HostServices(
            stores: stores,
            redis: redis,
            provider: provider,
            project: project,
            market: market,
            seed: settings.seed,
            scratch: "\(directory.path)/scratch",
            tokens: tokens,
            clock: clock,
            loop: loop
        )
        let dispatcher = makePools(project, bundle, services, group, clock, telemetry)
        let scheduler = Scheduler(
            project: project,
            journal: stores.journal,
            dispatching: dispatcher,
            loop: loop,
            clock: clock,
            tokens: tokens,
            telemetry: telemetry
        )
        let state = HostState(
            project: project,
            stores: stores,
            dispatcher: dispatcher,
            scheduler: scheduler,
            tokens: tokens,
            telemetry: telemetry,
            clock: clock,
            ports: GatewayPorts(journal: stores.journal, clock: clock, manifests: project.manifests),
            loop: loop,
            redisUp: health,
            clockMayBeSet: options.isDevelopment
        )
        return try await serve(state, settings, directory, group, redis, redisURL, provider)
    }

    // MARK: Settings

    struct Settings {
        var at: Instant?
        var speed: Double
        var level: LogLevel
        var logMax: Int
        var blobMax: Int
        var keepJobs: Duration
        var loops: Int
        var seed: UInt64
        var gatewayPort: Int
        var adminPort: Int
        var grace: Duration
    }

    private func readSettings() throws -> Settings {
        let settings = Settings(
            at: configuration.instant("clock.at", problems),
            speed: configuration.number("clock.speed", 0...100_000, problems),
            level: configuration.level(problems),
            logMax: configuration.size("keep.logs", problems),
            blobMax: configuration.size("keep.blobs", problems),
            keepJobs: configuration.duration("keep.jobs", problems),
            loops: Int(configuration.number("loops", 1...64, problems)),
            seed: UInt64(configuration.number("market.seed", 0...1e15, problems)),
            gatewayPort: configuration.port("gateway.port", problems),
            adminPort: configuration.port("admin.port", problems),
            grace: configuration.duration("stop.grace", problems)
        )
        let address = configuration["gateway.host"]
        if !["127.0.0.1", "::1", "localhost"].contains(address), configuration["gateway.principalHeader"].isEmpty {
            problems.add(
                Problem(
                    file: configuration.values["gateway.host"]?.source ?? "default",
                    message: "gateway.host \(address) is reachable from elsewhere, and nothing authenticates callers",
                    hint: "listen on 127.0.0.1 behind a proxy, or name the header it sets by gateway.principalHeader"
                )
            )
        }
        guard problems.isEmpty else { throw ConfigurationError(problems.all) }
        return settings
    }

    private var console: LogWriter.Console {
        switch configuration["log.format"] {
        case "json": .json
        case "pretty": .pretty(colour: options.isTerminal)
        case "none": .none
        default: options.isTerminal ? .pretty(colour: true) : .json
        }
    }

    private var bundlePath: String {
        let named = configuration["bundle"]
        if !named.isEmpty { return named }
        let folder = options.program.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        return "\(folder)/functions"
    }

    /// Prices from files: `SYMBOL=FILE,SYMBOL=FILE`.
    private func readMarket() -> [String: MarketSource] {
        var sources = MarketDataService.usualSources
        for pair in configuration["market.file"].split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let text = readText(parts[1]) else {
                problems.add(Problem(file: "market.file", message: "`\(pair)` names no file", hint: "write SYMBOL=FILE"))
                continue
            }
            do throws(BarFileError) {
                sources[parts[0]] = .bars(try BarFile.bars(text, file: parts[1]))
            } catch {
                problems.add(Problem(file: parts[1], message: error.description, hint: "time,open,high,low,close,volume"))
            }
        }
        return sources
    }

    // MARK: Parts

    private func startRedis(
        _ directory: String,
        _ loop: any EventLoop,
        _ health: RedisHealth,
        _ telemetry: Telemetry
    ) async throws -> (String, RedisClient) {
        var text = configuration["redis.url"]
        if text.isEmpty {
            let embedded = try await EmbeddedRedis.start(dataDirectory: directory, on: loop)
            closing.add { await embedded.stop() }
            text = embedded.url
        }
        let url: RedisURL
        do throws(RedisError) {
            url = try RedisURL(text)
        } catch {
            throw HostError(.configuration, "REDIS_URL: \(error.message)")
        }
        let client = RedisClient(url: url, on: loop) { error in
            health.set(error == nil)
            if let error {
                telemetry.note(.error, "redis is away", [("reason", .string(error.message))])
            } else {
                telemetry.note(.info, "redis answers")
            }
        }
        do throws(RedisError) {
            try await client.connect()
        } catch {
            telemetry.note(.error, "redis is away", [("reason", .string(error.message))])
        }
        closing.add { await client.shutdown() }
        return (url.description, client)
    }

    private func startProvider() async throws -> ProviderEndpoint {
        let base = configuration["provider.baseURL"]
        let key = configuration["provider.apiKey"]
        if base.isEmpty, key.isEmpty {
            let child = try await OfflineChild.start(program: options.program)
            closing.add { child.stop() }
            return ProviderEndpoint(
                baseURL: "http://127.0.0.1:\(child.port)/v1", model: "offline-1", imageModel: "gpt-image-1", offline: true
            )
        }
        return ProviderEndpoint(
            baseURL: base.isEmpty ? "https://api.openai.com/v1" : base,
            apiKey: key.isEmpty ? nil : key,
            model: configuration["provider.textModel"],
            imageModel: configuration["provider.imageModel"]
        )
    }

    private func makePools(
        _ project: Project,
        _ bundle: Bundle,
        _ services: HostServices,
        _ group: any EventLoopGroup,
        _ clock: VirtualClock,
        _ telemetry: Telemetry
    ) -> PoolDispatcher {
        let program = WorkerProgram(
            executable: bundle.executable,
            hash: bundle.hash,
            environment: ["SWIFT_BACKTRACE": options.isDevelopment ? "enable=yes,color=no,interactive=no" : "enable=no"]
        )
        let pools = project.manifests.map { manifest in
            FunctionPool(
                manifest: manifest,
                program: program,
                bindings: services.bindings,
                loop: group.next(),
                clock: { clock.reading },
                report: { telemetry.pool($0) }
            )
        }
        let dispatcher = PoolDispatcher(pools)
        services.invoke.connect(dispatcher)
        clock.onChange { pools.forEach { $0.clockChanged() } }
        pools.forEach { $0.start() }
        closing.add { await dispatcher.drain(grace: .zero) }
        return dispatcher
    }

    // MARK: Serving

    private func serve(
        _ state: HostState,
        _ settings: Settings,
        _ directory: DataDirectory,
        _ group: any EventLoopGroup,
        _ redis: RedisClient,
        _ redisURL: String,
        _ provider: ProviderEndpoint
    ) async throws -> Host {
        let (clock, telemetry, stores) = (state.clock, state.telemetry, state.stores)
        let builtIn = BuiltInEndpoints(jobs: stores.journal.jobs, blobs: stores.blobs, clock: clock)
        var gatewaySettings = GatewaySettings()
        let header = configuration["gateway.principalHeader"]
        gatewaySettings.principalHeader = header.isEmpty ? nil : header
        let gateway = Gateway(
            router: try Router(functions: state.project.manifests, endpoints: builtIn.routes),
            settings: gatewaySettings,
            dispatching: state.dispatcher,
            jobs: state.ports,
            keeper: state.ports,
            hash: { sha256Hex($0) },
            report: { telemetry.request($0) }
        )
        let front = try await HTTPServer.bind(
            host: configuration["gateway.host"],
            port: settings.gatewayPort,
            group: group,
            gateway: gateway,
            clock: { clock.now }
        )
        closing.add { await front.stop(grace: .zero) }
        let admin = Gateway(router: try Router(endpoints: AdminAPI(host: state).routes), hash: { sha256Hex($0) })
        let back = try await HTTPServer.bind(
            host: "127.0.0.1",
            port: settings.adminPort,
            group: group,
            gateway: admin,
            clock: { clock.now }
        )
        closing.add { await back.stop(grace: .zero) }
        let gatewayURL = configuration["gateway.url"].isEmpty
            ? "http://\(configuration["gateway.host"]):\(front.port)" : configuration["gateway.url"]
        stores.blobs.setBaseURL(gatewayURL)
        let runner = JobRunner(
            jobs: stores.journal.jobs,
            dispatching: state.dispatcher,
            loop: state.loop,
            clock: clock,
            manifests: state.project.manifests,
            telemetry: telemetry,
            ended: { state.scheduler.jobEnded($0.id) }
        )
        let streams = makeStreams(state, redis, directory.path)
        let relay = OutboxRelay(
            journal: stores.journal,
            shards: ShardOutbox(stores.shards),
            publisher: EventPublisher(client: redis),
            clock: clock,
            loop: state.loop,
            telemetry: telemetry
        )
        let host = Host(
            state,
            gatewayURL: gatewayURL,
            adminURL: "http://127.0.0.1:\(back.port)",
            redis: redisURL,
            provider: provider.offline ? "offline" : provider.baseURL,
            directory: directory.path,
            next: await state.scheduler.upcoming(4, function: nil),
            closing: closing,
            runner: runner,
            streams: streams,
            servers: [front, back],
            background: [
                Task { await runner.run() }, Task { await relay.run() }, Task { await state.scheduler.run() },
                Task { await Housekeeping(stores: stores, clock: clock, loop: state.loop, keepJobs: settings.keepJobs).run() },
            ],
            grace: settings.grace
        )
        streams.forEach { $0.start() }
        directory.announce(gateway: gatewayURL, admin: host.adminURL)
        telemetry.note(.info, "host ready", [("gateway", .string(gatewayURL)), ("admin", .string(host.adminURL))])
        return host
    }

    private func makeStreams(_ state: HostState, _ redis: RedisClient, _ directory: String) -> [StreamTrigger] {
        let consumer = "host-" + sha256Hex(Bytes(directory)).prefix(12)
        return state.project.manifests.flatMap { manifest in
            manifest.streams.map { stream in
                StreamTrigger(
                    stream: stream,
                    manifest: manifest,
                    consumer: consumer,
                    client: redis,
                    dispatching: state.dispatcher,
                    clock: state.clock,
                    report: { state.telemetry.stream($0, manifest.name, stream) }
                )
            }
        }
    }
}
