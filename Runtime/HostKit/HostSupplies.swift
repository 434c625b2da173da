import FunctionCore
import HTTPTrigger
import Journal
import NIOCore
import NIOPosix
import Observe
import Providers
import RedisTrigger
import Storage
import TLS
import UserData

/// What a host lives on: event loops, Redis, a provider, its stores.
struct HostSupplies {
    /// The server that was named, or the private one.
    struct Redis {
        let client: RedisClient
        let url: String
        /// The private server's on loopback; nil for a server that was named.
        let port: Int?
        let health: RedisHealth
        let embedded: EmbeddedRedis?
    }

    let group: any EventLoopGroup
    /// The loop of everything but the pools' and the servers' connections.
    let loop: any EventLoop
    let redis: Redis
    let provider: ProviderEndpoint
    let stores: HostStores
    /// The gateway's WebSocket clients, which functions reach by the binding `connections`.
    let sockets = SocketTable()
}

extension HostStarter {
    /// Opens them, and queues the jobs of the last host again.
    func connect(_ premises: Premises) async throws -> HostSupplies {
        let (settings, telemetry) = (premises.settings, premises.telemetry)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.loops)
        closing.add { try? await group.shutdownGracefully() }
        let loop = group.next()
        let directory = premises.directory.path
        // Both may be processes that are waited for, and neither needs the other.
        async let endpoint = startProvider(loop, telemetry)
        let redis = try await startRedis(directory, loop, telemetry)
        let provider = try await endpoint
        let stores = try await HostStores.open(
            directory,
            clock: premises.clock,
            manifests: premises.manifests,
            blobCapacity: settings.blobMax,
            redis: settings.sharesJobs ? await connection(redis.client) : nil,
            closing
        )
        await sweep(stores.blobs, telemetry)
        try await recover(stores.journal, now: premises.clock.now, telemetry)
        return HostSupplies(group: group, loop: loop, redis: redis, provider: provider, stores: stores)
    }

    /// A connection for the jobs alone, so that they and the functions' state do not wait for each other.
    private func connection(_ shared: RedisClient) async -> RedisClient {
        let client = shared.sibling(name: "swiftlet-jobs")
        closing.add { await client.shutdown() }
        // While the server is away the client goes on trying; that it is has been told already.
        try? await client.connect()
        return client
    }

    private func recover(_ journal: HostJournal, now: Instant, _ telemetry: Telemetry) async throws {
        do {
            let recovered = try await journal.recover(now: now)
            guard recovered.jobs > 0 else { return }
            let fields: [(String, JSON)] = [("jobs", .integer(Int64(recovered.jobs)))]
            telemetry.note(.info, "jobs of the last host queued again", fields)
        } catch let error as StorageError where error.code == .unavailable {
            let what = "jobs of the last host come back when their leases run out"
            telemetry.note(.warning, what, [("reason", .string(error.message))])
        }
    }

    /// Removes what a host that was killed left behind; nothing runs yet that could be missing it.
    private func sweep(_ blobs: BlobStore, _ telemetry: Telemetry) async {
        do {
            try await blobs.deleteTemporary(storedBefore: Instant(nanoseconds: .max))
            let orphans = try await blobs.removeOrphans()
            if orphans > 0 {
                telemetry.note(.info, "unfinished blobs removed", [("files", .integer(Int64(orphans)))])
            }
        } catch {
            telemetry.note(.warning, "unfinished blobs stay", [("reason", .string("\(error)"))])
        }
    }

    private func startRedis(
        _ directory: String,
        _ loop: any EventLoop,
        _ telemetry: Telemetry
    ) async throws -> HostSupplies.Redis {
        let health = RedisHealth()
        var text = configuration["redis.url"]
        var port: Int?
        var own: EmbeddedRedis?
        if text.isEmpty {
            let embedded = try await EmbeddedRedis.start(dataDirectory: directory, on: loop)
            closing.add { await embedded.stop() }
            text = embedded.url
            port = embedded.port
            own = embedded
        }
        let url: RedisURL
        do throws(RedisError) {
            url = try RedisURL(text)
        } catch {
            throw HostError(.configuration, "REDIS_URL: \(error.message)")
        }
        let security = try redisSecurity(url)
        let client = RedisClient(url: url, on: loop, security: security) { error in
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
        return HostSupplies.Redis(
            client: client,
            url: url.description,
            port: port,
            health: health,
            embedded: own
        )
    }

    /// What a `rediss://` URL needs; nil for any other.
    private func redisSecurity(_ url: RedisURL) throws(HostError) -> RedisConnection.Security? {
        guard url.isSecure else { return nil }
        let names = ["redis.ca", "redis.certificate", "redis.key"].map { configuration[$0] }
        guard names[1].isEmpty == names[2].isEmpty else {
            throw HostError(.configuration, "redis.certificate and redis.key go together; name both or none")
        }
        do throws(CertificateError) {
            let security = try ClientSecurity(
                authorities: names[0].isEmpty ? nil : names[0],
                own: names[1].isEmpty ? nil : CertificateFiles(certificate: names[1], key: names[2])
            )
            return { try security.setUp($0, host: $1) }
        } catch {
            throw HostError(.configuration, "rediss://: \(error.message)")
        }
    }

    private func startProvider(
        _ loop: any EventLoop,
        _ telemetry: Telemetry
    ) async throws -> ProviderEndpoint {
        let base = configuration["provider.baseURL"]
        let key = configuration["provider.apiKey"]
        if base.isEmpty, key.isEmpty {
            let child = try await OfflineChild.start(program: options.program, on: loop) { reason in
                telemetry.note(
                    .warning,
                    "the offline provider is started again",
                    [("reason", .string(reason))]
                )
            }
            closing.add { child.stop() }
            return ProviderEndpoint(
                baseURL: "http://127.0.0.1:\(child.port)/v1",
                model: "offline-1",
                imageModel: "gpt-image-1",
                offline: true
            )
        }
        return ProviderEndpoint(
            baseURL: base.isEmpty ? "https://api.openai.com/v1" : base,
            apiKey: key.isEmpty ? nil : key,
            model: configuration["provider.textModel"],
            imageModel: configuration["provider.imageModel"]
        )
    }
}
