import FunctionCore
import Invocations
import RedisTrigger
import Storage

/// What the host must not forget: jobs, idempotency keys, emitted events, schedules, rotations.
///
/// One SQLite file, which only the host opens: everything that returns is on the disk. Jobs may be kept in a
/// Redis server instead, which several hosts share.
package final class HostJournal: Sendable {
    package let jobs: any JobEngine
    package let deliveries: any DeliveryQueue
    package let idempotency: any IdempotencyKeys
    package let outbox: EventOutbox
    /// Jobs of schedules on their way to an engine that other hosts share; nil where the file has them all.
    package let jobOutbox: JobOutbox?
    package let settlements: SettlementStore
    package let schedules: ScheduleLedger
    /// What other hosts know and say of the same schedules; nil where there are none.
    package let sharedSchedules: SharedSchedules?
    package let rotations: any RotationBook
    package let settings: SettingStore
    package let log: KeyedLog
    private let file: SQLiteFile
    private let feed: RedisFeed?

    /// Opens `journal.sqlite` in the data directory, and makes it at the first start.
    ///
    /// `manifest` gives a function's manifest as it is at the time: a job's end goes by it. With `redis`, jobs,
    /// their deliveries, idempotency keys and rotations are kept there, under `name`, by all hosts that share it, of
    /// which one holds a rotation for the length of a `lease`; the
    /// rest stays in the file.
    /// - Throws: `StorageError`, for a file of a newer version among others.
    package static func open(
        directory: String,
        redis: RedisClient? = nil,
        name: String = "jobs",
        lease: Duration = .seconds(15),
        manifest: @escaping @Sendable (String) -> Manifest? = { _ in nil }
    ) async throws -> HostJournal {
        let file = try await SQLiteFile.open("\(directory)/journal.sqlite", schema: .journal)
        let endings = JobEndings(manifest: manifest)
        guard let redis else { return HostJournal(file, endings) }
        let keys = RedisJobKeys(name, host: try await hostName(file))
        let schedules = SharedSchedules(redis, keys, account: SharedSchedules.account(directory))
        return HostJournal(file, endings, redis, keys, lease, schedules)
    }

    private init(_ file: SQLiteFile, _ endings: JobEndings) {
        let deliveries = DeliveryStore(file)
        let jobs = JobStore(file, endings: endings, deliveries: deliveries)
        self.file = file
        self.deliveries = deliveries
        self.jobs = jobs
        idempotency = StrandedKeys(IdempotencyStore(file))
        feed = nil
        jobOutbox = nil
        outbox = EventOutbox(file)
        settlements = SettlementStore(file, jobs: jobs)
        schedules = ScheduleLedger(file, .kept(jobs))
        sharedSchedules = nil
        rotations = RotationStore(file)
        settings = SettingStore(file)
        log = KeyedLog(file)
    }

    private init(
        _ file: SQLiteFile,
        _ endings: JobEndings,
        _ redis: RedisClient,
        _ keys: RedisJobKeys,
        _ lease: Duration,
        _ sharedSchedules: SharedSchedules
    ) {
        let deliveries = RedisDeliveries(redis, keys)
        let jobs = RedisJobs(redis, keys, endings: endings, deliveries: deliveries)
        let own = JobStore(file, endings: endings, deliveries: DeliveryStore(file))
        self.file = file
        self.deliveries = deliveries
        self.jobs = jobs
        idempotency = StrandedKeys(RedisIdempotency(jobs))
        let jobOutbox = JobOutbox(file)
        feed = RedisFeed(redis, jobs, schedules: jobOutbox.appended)
        outbox = EventOutbox(file)
        settlements = SettlementStore(file, jobs: own)
        self.jobOutbox = jobOutbox
        schedules = ScheduleLedger(file, .relayed(jobOutbox))
        self.sharedSchedules = sharedSchedules
        rotations = RedisRotations(redis, keys, lease: lease)
        settings = SettingStore(file)
        log = KeyedLog(file)
    }

    /// The name by which other hosts know this one; as old as its data directory.
    private static func hostName(_ file: SQLiteFile) async throws -> String {
        let settings = SettingStore(file)
        if let name = try await settings.setting("journal.host") { return name }
        let name = InvocationID.next()
        try await settings.setSetting("journal.host", name)
        return name
    }

    /// What `recover` found.
    package struct Recovery: Sendable, Hashable {
        /// Jobs that were running when the host ended: queued again, or dead letters where it is too often.
        package var jobs: Int
        /// Idempotency keys of requests that went down with the host.
        package var keys: Int
    }

    /// Puts the journal in order after a start, before anything is claimed.
    ///
    /// What this host was running when it ended belongs to nobody now.
    package func recover(now: Instant) async throws -> Recovery {
        let lost = try await jobs.recover(now: now)
        return Recovery(jobs: lost.count, keys: try await idempotency.dropLost())
    }

    /// Forgets what is old: ended jobs (their counters stay), answers of idempotency keys after 24 hours,
    /// relayed events after seven days, all but the last 1000 ledger rows of a schedule.
    ///
    /// Works in steps of 500 rows, so that other writes get between them.
    /// - Returns: how many jobs were removed.
    @discardableResult
    package func prune(jobsEndedBefore horizon: Instant, keepJobs: Int, now: Instant) async throws -> Int {
        let removed = try await jobs.prune(endedBefore: horizon, keep: keepJobs)
        try await jobs.tidy(now: now)
        try await idempotency.prune(now: now)
        try await outbox.prune(relayedBefore: now - .seconds(7 * 24 * 3600))
        try await schedules.prune(keep: 1000)
        return removed
    }

    /// How many transactions were committed since the start; for metrics, and for the tests of group commit.
    package var transactions: Int { file.transactions }

    /// Carries out what waits and closes the file.
    package func close() async {
        await feed?.close()
        await file.close()
    }
}
