import FunctionCore
import Journal
import NIOCore
import Storage
import UserData

/// Carries paid jobs from the users' shards to the journal, and their ends back to the users' ledgers.
///
/// Both ways each step is repeated until it is known to be done, and doing it again changes nothing; so a
/// host that ends between any two steps loses nothing and charges nobody twice.
package final class CreditRelay: Sendable {
    private let credits: CreditLedger
    private let journal: HostJournal
    private let clock: VirtualClock
    private let loop: any EventLoop
    private let telemetry: Telemetry
    private let wake = WakeSignal()

    private static let batch = 256

    package init(
        credits: CreditLedger,
        journal: HostJournal,
        clock: VirtualClock,
        loop: any EventLoop,
        telemetry: Telemetry
    ) {
        self.credits = credits
        self.journal = journal
        self.clock = clock
        self.loop = loop
        self.telemetry = telemetry
    }

    convenience init(_ state: HostState) {
        self.init(
            credits: state.stores.credits,
            journal: state.stores.journal,
            clock: state.clock,
            loop: state.loop,
            telemetry: state.telemetry
        )
    }

    /// A job is over.
    package func jobEnded() {
        wake.wake()
    }

    /// Relays until the task is cancelled.
    ///
    /// Looks every five seconds at least; after a failure every second.
    package func run() async {
        let wake = self.wake
        let wakes = wake.wakes()
        await withDiscardingTaskGroup { group in
            let timer = Timer(loop: self.loop) { wake.wake() }
            let accepted = credits.accepted.wakes()
            group.addTask {
                for await _ in accepted { wake.wake() }
            }
            wake.wake()
            var isLoaded = false
            for await _ in wakes {
                do {
                    if !isLoaded { try await self.credits.load() }
                    isLoaded = true
                    try await self.relayAll()
                    timer.set(.seconds(5))
                } catch {
                    telemetry.note(.error, "credits cannot be settled", [("reason", .string("\(error)"))])
                    timer.set(.seconds(1))
                }
            }
            timer.cancel()
            group.cancelAll()
        }
    }

    /// Carries all there is, both ways.
    package func relayAll() async throws {
        while try await journalJobs() > 0 {}
        while try await settle() > 0 {}
        let expired = try await credits.expire(now: clock.now)
        if expired > 0 {
            telemetry.note(.warning, "holds have expired", [("holds", .integer(Int64(expired)))])
        }
    }

    /// Gives the journal jobs that shards have accepted; says how many.
    private func journalJobs() async throws -> Int {
        let waiting = try await credits.pendingJobs(limit: CreditRelay.batch)
        try await journal.settlements.take(waiting, from: credits, now: clock.now)
        try await credits.markJournaled(waiting, now: clock.now)
        return waiting.count
    }

    /// Tells the ledgers how jobs have ended; says how many.
    private func settle() async throws -> Int {
        let ends = try await journal.settlements.pending(limit: CreditRelay.batch)
        for end in ends {
            let transfer = try await credits.settle(
                job: end.job,
                of: end.user,
                succeeded: end.succeeded,
                now: clock.now
            )
            if transfer.kind == .expire {
                telemetry.note(
                    .warning,
                    "a job ended after its hold: nothing is charged",
                    [("job", .string(end.job))]
                )
            }
        }
        try await journal.settlements.settled(ends)
        return ends.count
    }
}

extension SettlementStore {
    /// Takes on jobs that a shard has accepted, in their order; those that it knows are left alone.
    func take(_ jobs: [PaidJob], from credits: CreditLedger, now: Instant) async throws {
        for paid in jobs {
            // One whose hold has ended was in the journal and is over; it must not run again.
            guard try await credits.isOpen(paid) else { continue }
            guard let json = try? JSON.parse(Bytes(paid.job)), let job = NewJob(json, body: paid.body) else {
                throw StorageError(.corrupt, "job \(paid.id) of user \(paid.user) cannot be read")
            }
            try await accept(job, of: paid.user, now: now)
        }
    }
}
