import Fetch
import FunctionCore
import HTTPTrigger
import Invocations
import Journal
import NIOCore
import Providers
import RedisTrigger
import Scheduling
import Settings
import UserData
import WorkerPool

/// Where the data of a host lie: one owner, opened together and closed together.
struct HostStores {
    let journal: HostJournal
    let shards: ShardMap
    let credits: CreditLedger
    let documents: DocumentStore
    let blobs: BlobStore

    /// Opens them one after the other; `closing` gets each as soon as it is open.
    ///
    /// With `redis` the journal keeps its jobs there.
    static func open(
        _ directory: String,
        clock: VirtualClock,
        manifests: ManifestTable,
        blobCapacity: Int,
        redis: RedisClient?,
        _ closing: HostClosing
    ) async throws -> HostStores {
        let journal = try await HostJournal.open(directory: directory, redis: redis) { manifests[$0] }
        closing.add { await journal.close() }
        let shards = try await ShardMap.open(directory: directory)
        closing.add { await shards.close() }
        let documents = try await DocumentStore.open(directory: directory)
        closing.add { await documents.close() }
        let blobs = try await BlobStore.open(
            directory: directory,
            clock: clock,
            key: try await SigningKey.load(directory: directory),
            capacity: blobCapacity
        )
        closing.add { await blobs.close() }
        return HostStores(
            journal: journal,
            shards: shards,
            credits: CreditLedger(shards),
            documents: documents,
            blobs: blobs
        )
    }
}

/// Makes the services behind the bindings.
struct HostServices {
    let bindings: BindingHost
    let invoke: InvokeService
    let sessions: CalendarSessions

    init(
        stores: HostStores,
        redis: RedisClient,
        provider: ProviderEndpoint,
        project: Project,
        market: [String: MarketSource],
        seed: UInt64,
        scratch: String,
        tokens: WindowTokens,
        sockets: SocketTable,
        clock: VirtualClock,
        loop: any EventLoop,
        faults: FaultBook
    ) throws {
        let host = provider.offline ? [provider.baseURL.hostAndPort].compactMap { $0 } : []
        let custom = provider.offline ? [] : [provider.baseURL.hostAndPort].compactMap { $0 }
        let client = ProviderClient(
            provider,
            fetcher: try Fetcher(Fetcher.Settings(allow: try AllowList(host + custom))),
            fault: { faults.provider($0) }
        )
        sessions = CalendarSessions(project.book)
        let prices = MarketDataService(seed: seed, sources: market, sessions: sessions, clock: clock)
        let broker = PaperBroker(
            log: JournalFills(log: stores.journal.log),
            prices: prices,
            sessions: sessions,
            clock: clock,
            tokenIsCurrent: { token in
                guard let token else { return .missing }
                return tokens.isCurrent("trading", token) ? .current : .stale
            }
        )
        invoke = InvokeService(loop: loop)
        bindings = BindingHost(
            [
                TextService(client), ImagesService(client),
                SpeechService(media: stores.blobs, scratch: Scratch(below: scratch)),
                RenderService(media: stores.blobs, scratch: Scratch(below: scratch)),
                FetchService(try Fetcher()),
                UsersService(stores.shards, clock: clock), DocumentsService(stores.documents, clock: clock),
                BlobsService(stores.blobs), StateService(client: redis), prices, broker,
                EmitService(stores.journal.outbox, clock: clock),
                ProgressService(stores.journal.jobs, clock: clock), ConnectionsService(sockets), invoke,
            ],
            tokenIsCurrent: { function, token in tokens.isCurrent(function, token) }
        )
    }
}

extension String {
    /// `host:port` of a URL, with the scheme's own port where it names none.
    var hostAndPort: String? {
        for (scheme, port) in [("http://", "80"), ("https://", "443")] where hasPrefix(scheme) {
            let authority = dropFirst(scheme.count).prefix { $0 != "/" }
            return authority.contains(":") ? String(authority) : "\(authority):\(port)"
        }
        return nil
    }
}
