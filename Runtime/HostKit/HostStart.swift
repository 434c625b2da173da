import FunctionCore
import Invocations
import Isolation
import NIOCore
import Observe
import Providers
import RedisTrigger
import Scheduling
import Settings
import WorkerPool

extension Host {
    /// Brings a host up.
    ///
    /// What fails leaves nothing behind.
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

extension Host {
    /// Reads and checks all that a start would, without taking hold of anything that another host has.
    /// - Throws: as `start`.
    package static func rehearse(_ options: HostOptions) async throws {
        let problems = Problems(options.faults)
        let settings = HostSettings(
            options.configuration,
            isDevelopment: options.isDevelopment,
            problems: problems
        )
        options.inheritance.check(settings.admin, problems)
        for (name, wanted) in [("gateway", settings.gatewayPort), ("admin", settings.adminPort)] {
            guard let listener = options.inheritance.listeners[name],
                let port = Inheritance.port(of: listener)
            else { continue }
            if wanted != 0, wanted != port {
                let hint = "a running host can hand over the port it has; for another one restart"
                let message = "\(name).port is \(wanted), and the socket that is passed on has \(port)"
                problems.add(Problem(file: "\(name).port", message: message, hint: hint))
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems.all) }
        let directory = DataDirectory.absolute(options.configuration["data"])
        let source = ProjectSource(
            options.configuration,
            program: options.program,
            directory: directory,
            settings: settings
        )
        _ = try await source.generation(1)
    }
}

/// The steps of a start, in their order.
struct HostStarter {
    let options: HostOptions
    let closing: HostClosing
    let configuration: Configuration

    init(_ options: HostOptions, _ closing: HostClosing) {
        self.options = options
        self.closing = closing
        configuration = options.configuration
    }

    func start() async throws -> Host {
        OpenFiles.raise()
        let premises = try await prepare()
        let supplies = try await connect(premises)
        let state = try makeState(premises, supplies)
        return try await serve(state, premises, supplies)
    }

    // MARK: Premises

    /// What a host has before it reaches for anything: all of it read and found to be right.
    struct Premises {
        let settings: HostSettings
        let directory: DataDirectory
        let clock: VirtualClock
        let telemetry: Telemetry
        let source: ProjectSource
        let generation: Generation
        let manifests: ManifestTable
        let market: [String: MarketSource]
    }

    private func prepare() async throws -> Premises {
        let problems = Problems(options.faults)
        let settings = HostSettings(configuration, isDevelopment: options.isDevelopment, problems: problems)
        options.inheritance.check(settings.admin, problems)
        guard problems.isEmpty else {
            // The host cannot start: look at the files as well, so that all faults are told at once.
            let source = ProjectSource(
                configuration,
                program: options.program,
                directory: "",
                settings: settings
            )
            _ = source.project(nil, problems)
            throw ConfigurationError(problems.all)
        }
        let directory = try DataDirectory(configuration["data"], inherited: options.inheritance.lock)
        closing.add { directory.release() }
        let clock = VirtualClock()
        // The speed first: a clock that is to stand still does so at this very instant.
        if settings.speed != 1 { clock.setSpeed(settings.speed) }
        if let at = settings.at { clock.set(at) }
        let log = LogWriter(
            path: "\(directory.path)/logs/swiftlet.jsonl",
            fileMax: settings.logMax,
            console: console,
            level: settings.level,
            redactor: Redactor(secrets: configuration.secrets)
        )
        closing.add { log.close() }
        let source = ProjectSource(
            configuration,
            program: options.program,
            directory: directory.path,
            settings: settings
        )
        let bundle = try await Bundle.load(source.bundle, into: source.copies)
        let project = source.project(bundle.functions, problems)
        let market = readMarket(problems)
        if !options.isDevelopment, clock.isVirtual {
            problems.add(
                Problem(
                    file: "clock",
                    message: "clock.at and clock.speed are set, and `serve` runs on the real clock",
                    hint: "take them out, or use `swiftlet dev`"
                )
            )
        }
        guard problems.isEmpty else { throw ConfigurationError(problems.all) }
        try RequiredPrograms.check(project.manifests)
        let telemetry = Telemetry(log: log, clock: clock)
        for warning in problems.warnings { telemetry.note(.warning, warning.description) }
        return Premises(
            settings: settings,
            directory: directory,
            clock: clock,
            telemetry: telemetry,
            source: source,
            generation: Generation(number: 1, bundle: bundle, project: project),
            manifests: ManifestTable(project.manifests),
            market: market
        )
    }

    private var console: LogWriter.Console {
        switch configuration["log.format"] {
        case "json": .json
        case "pretty": .pretty(colour: options.isTerminal)
        case "none": .none
        default: options.isTerminal ? .pretty(colour: true) : .json
        }
    }

    /// Prices from files: `SYMBOL=FILE,SYMBOL=FILE`.
    private func readMarket(_ problems: Problems) -> [String: MarketSource] {
        var sources = MarketDataService.usualSources
        for pair in configuration["market.file"].split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let text = readText(parts[1]) else {
                problems.add(
                    Problem(
                        file: "market.file",
                        message: "`\(pair)` names no file",
                        hint: "write SYMBOL=FILE"
                    )
                )
                continue
            }
            do throws(BarFileError) {
                sources[parts[0]] = .bars(try BarFile.bars(text, file: parts[1]))
            } catch {
                problems.add(
                    Problem(
                        file: parts[1],
                        message: error.description,
                        hint: "time,open,high,low,close,volume"
                    )
                )
            }
        }
        return sources
    }

    // MARK: State

    private func makeState(_ premises: Premises, _ supplies: HostSupplies) throws -> HostState {
        let (project, clock, stores) = (premises.generation.project, premises.clock, supplies.stores)
        let tokens = WindowTokens(rotationOf: project.book.rotationOf, clock: clock)
        let faults = FaultBook(telemetry: premises.telemetry)
        let services = try HostServices(
            stores: stores,
            redis: supplies.redis.client,
            provider: supplies.provider,
            project: project,
            market: premises.market,
            seed: premises.settings.seed,
            scratch: "\(premises.directory.path)/scratch",
            tokens: tokens,
            sockets: supplies.sockets,
            clock: clock,
            loop: supplies.loop,
            faults: faults
        )
        let isolation = makeIsolation(premises)
        let recordings = makeRecordings(premises)
        let factory = makeFactory(premises, supplies, services, isolation, recordings)
        closing.add { await factory.templates.stop() }
        let dispatcher = makePools(premises, services, factory)
        let scheduler = Scheduler(
            project: project,
            journal: stores.journal,
            dispatching: dispatcher,
            loop: supplies.loop,
            clock: clock,
            tokens: tokens,
            warmth: dispatcher,
            telemetry: premises.telemetry
        )
        return HostState(
            live: LiveGeneration(premises.generation),
            manifests: premises.manifests,
            factory: factory,
            recordings: recordings,
            limiter: makeLimiter(supplies.redis, premises.telemetry),
            stores: stores,
            dispatcher: dispatcher,
            scheduler: scheduler,
            tokens: tokens,
            sessions: services.sessions,
            telemetry: premises.telemetry,
            clock: clock,
            ports: GatewayPorts(
                stores,
                clock: clock,
                manifests: premises.manifests,
                telemetry: premises.telemetry
            ),
            loop: supplies.loop,
            redis: supplies.redis.client,
            redisUp: supplies.redis.health,
            isolation: isolation,
            clockMayBeSet: options.isDevelopment,
            trials: trials,
            faults: faults,
            embeddedRedis: supplies.redis.embedded
        )
    }

    private func makeFactory(
        _ premises: Premises,
        _ supplies: HostSupplies,
        _ services: HostServices,
        _ isolation: WorkerIsolation,
        _ recordings: RecordingStore
    ) -> PoolFactory {
        PoolFactory(
            bindings: services.bindings,
            group: supplies.group,
            clock: premises.clock,
            telemetry: premises.telemetry,
            isolation: isolation,
            hasTemplate: configuration["workers.template"] != "off",
            // A backtrace is the work of another process, which the sandbox does not allow.
            backtraces: options.isDevelopment && !premises.settings.isolation.sandbox,
            capacity: HostCapacity(premises.settings.profile),
            shares: InFlightShares(
                bound: premises.settings.maxInFlight,
                reserved: premises.generation.project.reserved
            ),
            recordings: recordings
        )
    }

    private func makeIsolation(_ premises: Premises) -> WorkerIsolation {
        let isolation = WorkerIsolation(premises.settings.isolation, data: premises.directory.path)
        closing.add { await isolation.closed() }
        premises.telemetry.note(isolation)
        return isolation
    }

    /// A private server has no other hosts: what they shared would be this one's own.
    private func makeLimiter(_ redis: HostSupplies.Redis, _ telemetry: Telemetry) -> RateLimiter {
        RateLimiter(
            shared: redis.port == nil ? SharedBuckets(client: redis.client) : nil,
            telemetry: telemetry
        )
    }

    private func makePools(
        _ premises: Premises,
        _ services: HostServices,
        _ factory: PoolFactory
    ) -> PoolDispatcher {
        let generation = premises.generation
        let pools = generation.project.manifests.map { factory.pool($0, of: generation.bundle) }
        let dispatcher = PoolDispatcher(pools)
        services.invoke.connect(dispatcher)
        premises.clock.onChange { dispatcher.clockChanged() }
        pools.forEach { $0.start() }
        closing.add { await dispatcher.drain(grace: .zero) }
        return dispatcher
    }
}
