import FunctionCore
import HTTPTrigger
import Invocations
import Journal
import NIOCore
import Observe
import Providers
import RedisTrigger
import Storage
import UserData
import WorkerPool

extension HostStarter {
    /// Opens the ports, and starts what works in the background.
    func serve(_ state: HostState, _ premises: Premises, _ supplies: HostSupplies) async throws -> Host {
        let directory = premises.directory
        let (front, gatewayURL) = try await openGateway(state, premises.settings, supplies.group)
        state.stores.blobs.setBaseURL(gatewayURL)
        let back = try await openAdmin(state, premises.settings, supplies.group)
        let runner = JobRunner(
            jobs: state.stores.journal.jobs,
            dispatching: state.dispatcher,
            loop: state.loop,
            clock: state.clock,
            manifests: state.project.manifests,
            telemetry: state.telemetry,
            ended: { state.scheduler.jobEnded($0.id) }
        )
        let streams = makeStreams(state, supplies.redis.client, directory.path)
        let host = Host(
            state,
            gatewayURL: gatewayURL,
            adminURL: "http://127.0.0.1:\(back.port)",
            redis: supplies.redis.url,
            redisPort: supplies.redis.port,
            provider: supplies.provider.offline ? "offline" : supplies.provider.baseURL,
            directory: directory.path,
            next: await state.scheduler.upcoming(4, function: nil),
            closing: closing,
            runner: runner,
            streams: streams,
            servers: [front, back],
            background: background(state, runner, supplies.redis.client, premises.settings),
            grace: premises.settings.grace
        )
        streams.forEach { $0.start() }
        directory.announce(gateway: gatewayURL, admin: host.adminURL)
        state.telemetry.note(
            .info,
            "host ready",
            [("gateway", .string(gatewayURL)), ("admin", .string(host.adminURL))]
        )
        return host
    }

    private func openGateway(
        _ state: HostState,
        _ settings: HostSettings,
        _ group: any EventLoopGroup
    ) async throws -> (HTTPServer, url: String) {
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
        let server = try await HTTPServer.bind(
            host: configuration["gateway.host"],
            port: settings.gatewayPort,
            group: group,
            gateway: gateway,
            clock: { clock.now }
        )
        closing.add { await server.stop(grace: .zero) }
        let named = configuration["gateway.url"]
        return (server, named.isEmpty ? "http://\(configuration["gateway.host"]):\(server.port)" : named)
    }

    private func openAdmin(
        _ state: HostState,
        _ settings: HostSettings,
        _ group: any EventLoopGroup
    ) async throws -> HTTPServer {
        let router = try Router(endpoints: AdminAPI(host: state).routes)
        let server = try await HTTPServer.bind(
            host: "127.0.0.1",
            port: settings.adminPort,
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
        _ redis: RedisClient,
        _ settings: HostSettings
    ) -> [Task<Void, Never>] {
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
        return [
            Task { await runner.run() }, Task { await relay.run() }, Task { await state.scheduler.run() },
            Task { await housekeeping.run() },
        ]
    }

    private func makeStreams(_ state: HostState, _ redis: RedisClient, _ directory: String) -> [StreamTrigger]
    {
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
