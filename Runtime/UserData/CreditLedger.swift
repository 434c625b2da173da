import FunctionCore
import Invocations
import Storage
import Synchronization

/// What was moved in all between users and an account, by kind.
package struct CreditTotal: Sendable, Hashable {
    package var account: String
    package var kind: LedgerTransfer.Kind
    package var credits: Int
}

/// The credits of all users: each one's account, and the jobs paid for from it, in the user's shard.
///
/// What is asked for under an id that is known is answered as the first time.
package final class CreditLedger: AuditedSource {
    private struct Series: Hashable {
        var shard: ShardPlace
        var account: String
        var kind: LedgerTransfer.Kind
    }

    private struct State {
        /// The shards that have jobs for the journal, or may have; at the start all that exist.
        var lagging: Set<ShardPlace>
        /// When the next hold of a shard is over; a shard that was not looked at yet has none here.
        var expiry: [ShardPlace: Instant] = [:]
        var totals: [Series: Int] = [:]
    }

    /// Wakes when a job waits for the journal.
    package let accepted = WakeSignal()
    private let shards: ShardMap
    private let state: Mutex<State>

    package init(_ shards: ShardMap) {
        self.shards = shards
        state = Mutex(State(lagging: Set(shards.existing)))
    }

    /// Reads the totals of all shards, which are then kept; to be called once, at the start.
    package func load() async throws {
        for place in shards.existing {
            let (totals, expiry) = try await shards.use(place) { file in
                try await file.read {
                    (try LedgerTable.totals(in: $0), try LedgerTable.nextExpiry(in: $0))
                }
            }
            for total in totals { note(total, in: place) }
            if let expiry { note(expiry: expiry, in: place) }
        }
    }

    // MARK: Users

    /// Gives a user credits.
    /// - Throws: `FunctionError` 409 transfer_conflict, 422.
    package func grant(
        _ credits: Int,
        to user: Int,
        id: String,
        note: String? = nil,
        now: Instant
    ) async throws -> LedgerTransfer {
        try DataFault.check([NameRule.fault(id, at: "id"), LedgerTransfer.fault(of: note)])
        return try await make(
            LedgerTransfer(
                // In a room of their own, so that no grant takes the id of a job's hold.
                id: "grant:\(id)",
                kind: .grant,
                user: user,
                account: "grants",
                credits: credits,
                note: note,
                created: now
            )
        )
    }

    /// Holds credits of a user for a function's use.
    /// - Throws: `FunctionError` 402 insufficient_credits, 409 transfer_conflict, 422.
    package func hold(
        _ credits: Int,
        of user: Int,
        for function: String,
        id: String,
        expires: Instant?,
        now: Instant
    ) async throws -> LedgerTransfer {
        try await make(
            LedgerTransfer(
                id: id,
                kind: .hold,
                user: user,
                account: LedgerTransfer.usage(function),
                credits: credits,
                expires: expires,
                created: now
            )
        )
    }

    /// Ends a hold of a user: posts, voids or expires it.
    /// - Throws: `FunctionError` 404, 409 transfer_conflict, 409 hold_ended.
    package func end(
        _ hold: String,
        of user: Int,
        _ kind: LedgerTransfer.Kind,
        id: String,
        now: Instant
    ) async throws -> LedgerTransfer {
        let place = try ShardPlace(user: user)
        let posting = try await shards.use(place) { file in
            try await file.write { try LedgerTable.end(hold, kind, id: id, now: now, in: $0) }
        }
        note(posting, in: place)
        return posting.transfer
    }

    private func make(_ wanted: LedgerTransfer) async throws -> LedgerTransfer {
        let place = try ShardPlace(user: wanted.user)
        let posting = try await shards.use(place) { file in
            try await file.write { try LedgerTable.make(wanted, in: $0) }
        }
        note(posting, in: place)
        return posting.transfer
    }

    /// A user's balance, and the last transfers, newest first.
    package func statement(
        of user: Int,
        limit: Int
    ) async throws -> (balance: CreditBalance, transfers: [LedgerTransfer]) {
        try await shards.use(try ShardPlace(user: user)) { file in
            try await file.read { database in
                (
                    try LedgerTable.balance("user:\(user)", in: database),
                    try LedgerTable.transfers(of: user, limit: limit, in: database)
                )
            }
        }
    }

    // MARK: Jobs

    /// Holds a job's credits and takes the job on, in one commit.
    /// - Returns: the id of the job that the same request made before, where one did.
    /// - Throws: `FunctionError` 402 insufficient_credits, 422 idempotency_mismatch; `StorageError` overloaded.
    package func accept(_ job: PaidJob, now: Instant) async throws -> String? {
        let place = try ShardPlace(user: job.user)
        let acceptance = try await shards.use(place) { file in
            try await file.write { try PaidJobTable.accept(job, now: now, in: $0) }
        }
        switch acceptance {
        case .known(let id): return id
        case .accepted(let posting):
            note(posting, in: place)
            state.withLock { _ = $0.lagging.insert(place) }
            accepted.wake()
            return nil
        }
    }

    /// Jobs that no journal is known to have, of one shard after the other, the oldest of each first.
    package func pendingJobs(limit: Int) async throws -> [PaidJob] {
        // A shard is taken off the list before it is read: what is committed meanwhile puts it back.
        let unread = state.withLock { state in
            defer { state.lagging = [] }
            return state.lagging
        }
        var left = unread
        var jobs: [PaidJob] = []
        defer { state.withLock { $0.lagging.formUnion(left) } }
        for place in unread where jobs.count < limit {
            let room = limit - jobs.count
            let found = try await shards.use(place) { file in
                try await file.read { try PaidJobTable.pending(room, in: $0) }
            }
            if found.isEmpty { left.remove(place) }
            jobs += found
        }
        return jobs
    }

    /// A job that is to be given to the journal, behind those that its user has asked for before it.
    package func pendingJobs(upTo job: PaidJob) async throws -> [PaidJob] {
        try await shards.use(try ShardPlace(user: job.user)) { file in
            try await file.read { try PaidJobTable.pending(PaidJob.pendingLimit, upTo: job, in: $0) }
        }
    }

    /// Whether a job's credits are still held.
    ///
    /// Where they are not, the journal had the job and has told its end.
    package func isOpen(_ job: PaidJob) async throws -> Bool {
        try await shards.use(try ShardPlace(user: job.user)) { file in
            try await file.read { try PaidJobTable.isOpen(job.id, in: $0) }
        }
    }

    /// Says that the journal has jobs, and forgets those whose keys are old.
    package func markJournaled(_ jobs: [PaidJob], now: Instant) async throws {
        let groups = try Dictionary(grouping: jobs) { try ShardPlace(user: $0.user) }
        for (place, jobs) in groups {
            let ids = jobs.map(\.id)
            try await shards.use(place) { file in
                try await file.write { try PaidJobTable.markJournaled(ids, now: now, in: $0) }
            }
        }
    }

    /// A job has ended: its credits are spent where it succeeded, else free again.
    /// - Returns: what has become of the hold; `expire` where its time was over before.
    package func settle(
        job: String,
        of user: Int,
        succeeded: Bool,
        now: Instant
    ) async throws -> LedgerTransfer {
        let place = try ShardPlace(user: user)
        let posting = try await shards.use(place) { file in
            try await file.write { database in
                let hold = PaidJob.hold(job)
                if let end = try LedgerTable.end(of: hold, in: database), end.kind == .expire {
                    return LedgerTable.Posting(transfer: end, total: 0)
                }
                let kind = succeeded ? LedgerTransfer.Kind.post : .void
                return try LedgerTable.end(hold, kind, id: PaidJob.end(job), now: now, in: database)
            }
        }
        note(posting, in: place)
        return posting.transfer
    }

    /// Gives back what was held for too long; says how many holds.
    package func expire(now: Instant) async throws -> Int {
        let due = state.withLock { $0.expiry.filter { $0.value <= now } }
        var count = 0
        for (place, at) in due {
            state.withLock { $0.expiry[place] = nil }
            do {
                let (postings, next) = try await shards.use(place) { file in
                    try await file.write { database in
                        let postings = try LedgerTable.overdue(now, limit: 500, in: database).map { hold in
                            try LedgerTable.end(hold, .expire, id: "\(hold):expired", now: now, in: database)
                        }
                        return (postings, try LedgerTable.nextExpiry(in: database))
                    }
                }
                if let next { note(expiry: next, in: place) }
                for posting in postings { note(posting, in: place) }
                count += postings.count
            } catch {
                note(expiry: at, in: place)
                throw error
            }
        }
        return count
    }

    // MARK: Figures

    /// The holds of each function as the audit shows them: posted, given back, or open.
    ///
    /// What does not add up in a shard's ledger stands in a line of its own.
    package func audit() async throws -> [AuditLine] {
        var counts: [String: LedgerAudit.Count] = [:]
        var problems: [String] = []
        for place in await shards.known {
            let (found, faults) = try await shards.use(place) { file in
                try await file.read { (try LedgerAudit.counts(in: $0), try LedgerAudit.problems(in: $0)) }
            }
            for (account, count) in found { counts[account, default: LedgerAudit.Count()] += count }
            problems += faults.map { "\(place.file): \($0)" }
        }
        let lines = counts.sorted { $0.key < $1.key }.map { account, count in
            AuditLine(
                source: "credits",
                function: LedgerTransfer.function(of: account),
                accepted: count.holds,
                completed: count.posted,
                cancelled: count.givenBack,
                pending: count.open
            )
        }
        guard !problems.isEmpty else { return lines }
        return lines + [AuditLine(source: "credits", function: "*", accepted: 0, problems: problems)]
    }

    /// What was moved in all, over all shards that `load` has read or that were used since.
    package var totals: [CreditTotal] {
        let totals = state.withLock { $0.totals }
        return Dictionary(grouping: totals) {
            CreditTotal(account: $0.key.account, kind: $0.key.kind, credits: 0)
        }
        .map { key, parts in
            CreditTotal(
                account: key.account,
                kind: key.kind,
                credits: parts.reduce(0) { $0 + $1.value }
            )
        }
    }

    private func note(_ posting: LedgerTable.Posting, in place: ShardPlace) {
        let transfer = posting.transfer
        note(
            CreditTotal(account: transfer.account, kind: transfer.kind, credits: posting.total),
            in: place
        )
        if transfer.kind == .hold, let expires = transfer.expires { note(expiry: expires, in: place) }
    }

    /// Sums only grow, so the largest that was heard of is the latest.
    private func note(_ total: CreditTotal, in place: ShardPlace) {
        let series = Series(shard: place, account: total.account, kind: total.kind)
        state.withLock { $0.totals[series] = max($0.totals[series] ?? 0, total.credits) }
    }

    private func note(expiry: Instant, in place: ShardPlace) {
        state.withLock { $0.expiry[place] = min($0.expiry[place] ?? expiry, expiry) }
    }
}
