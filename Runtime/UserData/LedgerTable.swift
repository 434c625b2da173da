import FunctionCore
import GRDB
import Storage

/// A shard's ledger as rows.
///
/// All of it runs on the file's own threads, inside of a transaction.
enum LedgerTable {
    /// A transfer in its place, and the sum of its account's and kind's transfers up to it.
    struct Posting: Sendable {
        var transfer: LedgerTransfer
        var total: Int
    }

    /// Makes a grant or a hold, or finds it made.
    static func make(_ wanted: LedgerTransfer, in database: Database) throws -> Posting {
        if let known = try posting(wanted.id, in: database) {
            try LedgerRule.check(wanted, against: known.transfer)
            return known
        }
        try LedgerRule.check(wanted, over: balance("user:\(wanted.user)", in: database))
        return try insert(wanted, in: database)
    }

    /// Ends a hold, or finds it ended so.
    /// - Throws: `FunctionError` 404 for a hold that is not there.
    static func end(
        _ hold: String,
        _ kind: LedgerTransfer.Kind,
        id: String,
        now: Instant,
        in database: Database
    ) throws -> Posting {
        guard let held = try posting(hold, in: database)?.transfer, held.kind == .hold else {
            throw FunctionError.notFound("there is no hold \(hold)")
        }
        let wanted = LedgerTransfer(
            id: id,
            kind: kind,
            user: held.user,
            account: held.account,
            credits: held.credits,
            hold: hold,
            created: now
        )
        if let known = try posting(id, in: database) {
            try LedgerRule.check(wanted, against: known.transfer)
            return known
        }
        try LedgerRule.check(end: end(of: hold, in: database))
        return try insert(wanted, in: database)
    }

    /// What has ended a hold.
    static func end(of hold: String, in database: Database) throws -> LedgerTransfer? {
        try database.first("SELECT * FROM ledger_transfers WHERE hold = ?", [hold]).map(transfer)
    }

    static func balance(_ account: String, in database: Database) throws -> CreditBalance {
        let row = try database.first(
            "SELECT * FROM ledger_entries WHERE account = ? ORDER BY seq DESC LIMIT 1",
            [account]
        )
        return row.map { CreditBalance(posted: $0["posted_balance"], held: $0["held_balance"]) }
            ?? CreditBalance()
    }

    /// The last transfers of a user, newest first.
    static func transfers(of user: Int, limit: Int, in database: Database) throws -> [LedgerTransfer] {
        try database.rows(
            "SELECT * FROM ledger_transfers WHERE user = ? ORDER BY seq DESC LIMIT ?",
            [user, limit]
        ).map(transfer)
    }

    /// How much was moved in all, by account and kind.
    static func totals(in database: Database) throws -> [CreditTotal] {
        try database.rows(
            "SELECT account, kind, max(total) AS total FROM ledger_transfers GROUP BY account, kind"
        ).compactMap { row in
            guard let kind = LedgerTransfer.Kind(rawValue: row["kind"]) else { return nil }
            return CreditTotal(account: row["account"], kind: kind, credits: row["total"])
        }
    }

    /// Up to `limit` open holds whose time is over; not those of jobs that no journal has yet.
    static func overdue(_ now: Instant, limit: Int, in database: Database) throws -> [String] {
        try database.rows(
            """
            SELECT id FROM open_holds WHERE expires <= ? AND NOT EXISTS
                (SELECT 1 FROM paid_jobs WHERE hold = open_holds.id AND journaled IS NULL)
            ORDER BY expires LIMIT ?
            """,
            [now.nanoseconds, limit]
        ).map { $0["id"] }
    }

    /// When the next open hold is over.
    static func nextExpiry(in database: Database) throws -> Instant? {
        try database.first("SELECT min(expires) AS at FROM open_holds WHERE expires IS NOT NULL")?
            .instantIfAny("at")
    }

    private static func posting(_ id: String, in database: Database) throws -> Posting? {
        try database.first("SELECT * FROM ledger_transfers WHERE id = ?", [id]).map {
            Posting(transfer: try transfer($0), total: $0["total"])
        }
    }

    private static func insert(_ transfer: LedgerTransfer, in database: Database) throws -> Posting {
        let before = try database.first(
            "SELECT max(total) FROM ledger_transfers WHERE account = ? AND kind = ?",
            [transfer.account, transfer.kind.rawValue]
        )
        let total = (before?[0] ?? 0) + transfer.credits
        try database.run(
            """
            INSERT INTO ledger_transfers (id, kind, user, account, credits, hold, expires, note, created, total)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                transfer.id, transfer.kind.rawValue, transfer.user, transfer.account, transfer.credits,
                transfer.hold, transfer.expires?.nanoseconds, transfer.note, transfer.created.nanoseconds,
                total,
            ]
        )
        let number = database.lastInsertedRowID
        for (account, sign) in transfer.sides {
            let change = CreditBalance(
                posted: sign * transfer.change.posted,
                held: sign * transfer.change.held
            )
            let after = try balance(account, in: database) + change
            try database.run(
                """
                INSERT INTO ledger_entries (transfer, account, posted, held, posted_balance, held_balance)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
                [number, account, change.posted, change.held, after.posted, after.held]
            )
        }
        return Posting(transfer: transfer, total: total)
    }

    private static func transfer(_ row: Row) throws -> LedgerTransfer {
        guard let kind = LedgerTransfer.Kind(rawValue: row["kind"]) else {
            throw StorageError(.corrupt, "the ledger has a transfer of a kind that no swiftlet writes")
        }
        return LedgerTransfer(
            id: row["id"],
            kind: kind,
            user: row["user"],
            account: row["account"],
            credits: row["credits"],
            hold: row["hold"],
            expires: row.instantIfAny("expires"),
            note: row["note"],
            created: row.instant("created")
        )
    }
}
