import Builds
import FunctionCore
import Glibc
import HTTPTrigger
import Invocations
import Isolation
import NIOCore
import NIOPosix
import Observe
import Processes
import Providers
import RedisTrigger
import Scheduling
import Settings
import Storage
import Synchronization
import UserData
import WorkerPool

/// What the parts of a running host see of one another.
package struct HostState: Sendable {
    let live: LiveGeneration
    let manifests: ManifestTable
    let factory: PoolFactory
    let recordings: RecordingStore
    let limiter: RateLimiter
    let stores: HostStores
    let dispatcher: PoolDispatcher
    let scheduler: Scheduler
    let tokens: WindowTokens
    let sessions: CalendarSessions
    let telemetry: Telemetry
    let clock: VirtualClock
    let ports: GatewayPorts
    let loop: any EventLoop
    let redis: RedisClient
    let redisUp: RedisHealth
    let isolation: WorkerIsolation
    let clockMayBeSet: Bool
    /// What a request's headers ask for beyond its reply.
    let trials: @Sendable ([Header]) throws(FunctionError) -> Trial?
    let faults: FaultBook
    /// The host's own server, where none was named.
    let embeddedRedis: EmbeddedRedis?
    let started = Monotonic.now
    /// How the build in the background stands.
    let build = BuildBook()

    var project: Project { live.current.project }
    var redisIsUp: Bool { redisUp.isUp }

    /// The generation in force in a few words, for a service manager.
    var status: String {
        let generation = live.current
        return "\(generation.project.manifests.count) functions, generation \(generation.number)"
    }

    /// The rotation and window that a function belongs to.
    func window(of function: String) -> (String, String)? {
        let book = project.book
        guard book.rotationOf[function] != nil else { return nil }
        for entry in book.entries where entry.function == function {
            if case .window(let rotation, let window, _) = entry.kind { return (rotation, window) }
        }
        return nil
    }
}

/// Whether Redis answers.
///
/// Threading: any.
final class RedisHealth: Sendable {
    private let up = Mutex(false)
    var isUp: Bool { up.withLock { $0 } }
    func set(_ value: Bool) { up.withLock { $0 = value } }
}

/// How a host is to be run.
package struct HostOptions: Sendable {
    package var configuration: Configuration
    /// Whether it is a development host: a clock that can be set, an offline provider, a private Redis.
    package var isDevelopment: Bool
    /// This program, to start the offline provider from.
    package var program: String
    /// Whether standard output is a terminal.
    package var isTerminal: Bool
    /// What was found wrong when the configuration was put together; told with all that the start finds.
    package var faults: [Problem]
    /// Sockets and the lock of the data directory, where somebody else has them ready.
    package var inheritance = Inheritance()
    /// Who is told how the host fares.
    package var manager: ServiceManager?
    /// What the host was started with, for the compilers that it starts.
    package var environment: [String: String] = [:]

    package init(
        configuration: Configuration,
        isDevelopment: Bool,
        program: String,
        isTerminal: Bool,
        faults: [Problem] = []
    ) {
        self.faults = faults
        self.configuration = configuration
        self.isDevelopment = isDevelopment
        self.program = program
        self.isTerminal = isTerminal
    }
}

extension HostOptions {
    /// What has to be built before there is a bundle to begin with, and how; nil where there is one.
    package var firstBuild: ChildSpec? {
        guard isDevelopment, configuration["build"] == "auto",
            let plan = ProjectSource.package(configuration),
            ProjectSource.bundle(configuration, program: program, isDevelopment: true) == plan.output
        else { return nil }
        // A function whose sources came since would be missing in it, and the host would not start.
        let built = SourceTree.Mark(plan.output)?.changed ?? 0
        return built > SourceTree(plan.package).newest ? nil : plan.command(environment, isUrgent: true)
    }
}

/// A running host.
///
/// Everything it started is ended by `stop`, in the opposite order.
package final class Host: Sendable {
    package let gatewayURL: String
    package let adminURL: String
    package let redis: String
    /// What isolates workers, and what does not and why.
    package var isolation: [WorkerIsolation.Feature] { state.isolation.features }
    /// What the wall clock shows and how fast it goes, where it is not the real one.
    package var virtualClock: String? {
        let clock = state.clock
        guard clock.isVirtual else { return nil }
        let speed = clock.reading.speed
        return "\(clock.now.rfc3339), " + (speed == 0 ? "standing still" : "at speed \(speed)")
    }
    /// The TCP port of the private Redis on loopback, for `redis-cli`; nil where another server was named.
    package let redisPort: Int?
    package let provider: String
    package let directory: String
    /// What it runs now.
    package var project: Project { state.project }
    package let next: SchedulePlan.Preview
    private let state: HostState
    private let closing: HostClosing
    private let runner: JobRunner
    private let triggers: TriggerSet
    private let reloader: Reloader
    private let gateway: Gateway
    private let front: HTTPServer
    private let back: HTTPServer
    private let holding: DataDirectory
    private let background: [Task<Void, Never>]
    private let grace: Duration

    init(
        _ state: HostState,
        gatewayURL: String,
        adminURL: String,
        redis: String,
        redisPort: Int?,
        provider: String,
        directory: DataDirectory,
        next: SchedulePlan.Preview,
        closing: HostClosing,
        runner: JobRunner,
        triggers: TriggerSet,
        reloader: Reloader,
        gateway: Gateway,
        front: HTTPServer,
        back: HTTPServer,
        background: [Task<Void, Never>],
        grace: Duration
    ) {
        self.state = state
        self.gatewayURL = gatewayURL
        self.adminURL = adminURL
        self.redis = redis
        self.redisPort = redisPort
        self.provider = provider
        self.directory = directory.path
        self.holding = directory
        self.next = next
        self.closing = closing
        self.runner = runner
        self.triggers = triggers
        self.reloader = reloader
        self.gateway = gateway
        self.front = front
        self.back = back
        self.background = background
        self.grace = grace
    }

    /// What it runs, in a few words.
    package var status: String { state.status }

    /// Puts the certificates, the bundle and the files as they are now in force; whatever is wrong leaves all
    /// as it was.
    ///
    /// `cause` is for the log.
    package func reload(_ cause: String) async -> ReloadReport {
        await reloader.reload(cause)
    }

    /// Refuses new work, lets what runs end within the grace, gives the rest back to the journal and to
    /// Redis, and ends all processes.
    ///
    /// The ports stay open while something runs: who comes meanwhile is told so, by 503 with Retry-After.
    package func stop() async {
        state.telemetry.note(.info, "host stopping")
        gateway.refuseNew()
        // Their functions hear of it as long as there are workers.
        front.retireUpgraded()
        await endWork { await self.state.dispatcher.drain(grace: self.grace) }
        await withDiscardingTaskGroup { group in
            for server in [front, back] { group.addTask { await server.stop(grace: .seconds(1)) } }
        }
        await endAll()
    }

    /// Leaves everything to another process: stops accepting, serves within the grace who is there, and closes
    /// all that only one host may have open.
    ///
    /// Returns the lock of the data directory, which is held on. Connections wait in the listening sockets.
    package func handOver() async -> Int32 {
        state.telemetry.note(.info, "host hands over")
        let lock = holding.handOver()
        let end = Monotonic.now + grace
        await endWork {
            await withDiscardingTaskGroup { group in
                for server in [self.front, self.back] {
                    group.addTask { await server.stop(grace: self.grace, patience: true) }
                }
            }
            await self.state.dispatcher.drain(grace: max(end - .now, .zero))
        }
        await endAll()
        return lock
    }

    /// The listening sockets by name, each in a second descriptor that is the caller's.
    package func listeners() async throws -> [String: Int32] {
        ["gateway": try await front.duplicate(), "admin": try await back.duplicate()]
    }

    private func endWork(_ workers: @escaping @Sendable () async -> Void) async {
        let grace = self.grace
        await withDiscardingTaskGroup { group in
            group.addTask { await self.triggers.stop(grace: grace) }
            group.addTask { await self.state.scheduler.stop() }
            group.addTask { await self.runner.stop() }
            group.addTask { await workers() }
        }
    }

    private func endAll() async {
        background.forEach { $0.cancel() }
        for task in background { await task.value }
        await closing.closeAll()
    }
}

/// What has been opened so far, to be closed in the opposite order: at the end, or when a later part fails to
/// start.
final class HostClosing: Sendable {
    private let steps = Mutex<[@Sendable () async -> Void]>([])

    func add(_ step: @escaping @Sendable () async -> Void) {
        steps.withLock { $0.append(step) }
    }

    func closeAll() async {
        let steps = self.steps.withLock { steps in
            defer { steps = [] }
            return steps
        }
        for step in steps.reversed() { await step() }
    }
}
