import FunctionCore
import GRDB
import Invocations
import Storage

/// What the host must not forget: jobs, idempotency keys, emitted events, schedules, rotations.
///
/// One SQLite file, which only the host opens. Everything that returns is on the disk.
package final class HostJournal: Sendable {
    package let jobs: any JobEngine
    package let deliveries: any DeliveryQueue
    package let idempotency: any IdempotencyKeys
    package let outbox: EventOutbox
    package let settlements: SettlementStore
    package let schedules: ScheduleLedger
    package let rotations: RotationStore
    package let settings: SettingStore
    package let log: KeyedLog
    private let file: SQLiteFile

    /// Opens `journal.sqlite` in the data directory, and makes it at the first start.
    ///
    /// `manifest` gives a function's manifest as it is at the time: a job's end goes by it.
    /// - Throws: `StorageError`, for a file of a newer version among others.
    package static func open(
        directory: String,
        manifest: @escaping @Sendable (String) -> Manifest? = { _ in nil }
    ) async throws -> HostJournal {
        let file = try await SQLiteFile.open("\(directory)/journal.sqlite", schema: .journal)
        return HostJournal(file, JobEndings(manifest: manifest))
    }

    private init(_ file: SQLiteFile, _ endings: JobEndings) {
        self.file = file
        let deliveries = DeliveryStore(file)
        let jobs = JobStore(file, endings: endings, deliveries: deliveries)
        self.deliveries = deliveries
        self.jobs = jobs
        self.idempotency = IdempotencyStore(file)
        self.outbox = EventOutbox(file)
        self.settlements = SettlementStore(file, jobs: jobs)
        self.schedules = ScheduleLedger(file, jobs: jobs)
        self.rotations = RotationStore(file)
        self.settings = SettingStore(file)
        self.log = KeyedLog(file)
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
        try await file.write { database in
            try UniqueJobs.prune(now: now, in: database)
            try JobLanes.prune(now: now, in: database)
        }
        try await idempotency.prune(now: now)
        try await outbox.prune(relayedBefore: now - .seconds(7 * 24 * 3600))
        try await schedules.prune(keep: 1000)
        return removed
    }

    /// How many transactions were committed since the start; for metrics, and for the tests of group commit.
    package var transactions: Int { file.transactions }

    /// Carries out what waits and closes the file.
    package func close() async {
        await file.close()
    }
}
