import GRDB
import Storage

/// Whether a shard's ledger adds up, from its entries alone.
enum LedgerAudit {
    /// Each query finds what must not be, with a number and a name.
    private static let rules: [(what: String, query: String)] = [
        (
            "the sum over all accounts is not zero",
            """
            SELECT '' AS name FROM (SELECT sum(posted) AS posted, sum(held) AS held FROM ledger_entries)
            WHERE posted <> 0 OR held <> 0
            """
        ),
        (
            "a transfer does not have two entries that make up for each other",
            """
            SELECT id AS name FROM ledger_transfers LEFT JOIN ledger_entries
                ON ledger_entries.transfer = ledger_transfers.seq
            GROUP BY ledger_transfers.seq
            HAVING count(ledger_entries.seq) <> 2 OR sum(posted) <> 0 OR sum(held) <> 0
            """
        ),
        (
            "a balance is not the sum of its entries",
            """
            SELECT name FROM ledger_entries JOIN
                (SELECT account AS name, max(seq) AS last, sum(posted) AS posted_sum, sum(held) AS held_sum
                    FROM ledger_entries GROUP BY account) ON seq = last
            WHERE posted_sum <> posted_balance OR held_sum <> held_balance
            """
        ),
        (
            "a user's account is below zero",
            """
            SELECT account AS name FROM ledger_entries WHERE account GLOB 'user:*'
                AND (held_balance < 0 OR posted_balance < held_balance)
            """
        ),
        (
            "an open hold is not one that nothing has ended",
            """
            SELECT id AS name FROM ledger_transfers AS hold WHERE kind = 'hold'
                AND EXISTS (SELECT 1 FROM ledger_transfers WHERE hold = hold.id)
                    = EXISTS (SELECT 1 FROM open_holds WHERE id = hold.id)
            """
        ),
        (
            "a job that the journal lacks has nothing held for it",
            """
            SELECT id AS name FROM paid_jobs WHERE journaled IS NULL
                AND NOT EXISTS (SELECT 1 FROM ledger_transfers WHERE id = paid_jobs.hold)
            """
        ),
    ]

    /// How many holds an account had, and what became of them.
    struct Count: Sendable {
        var holds = 0
        var posted = 0
        var givenBack = 0
        var open = 0

        static func += (left: inout Count, right: Count) {
            left.holds += right.holds
            left.posted += right.posted
            left.givenBack += right.givenBack
            left.open += right.open
        }
    }

    static func counts(in database: Database) throws -> [String: Count] {
        let rows = try database.rows(
            """
            SELECT account, sum(kind = 'hold') AS holds, sum(kind = 'post') AS posted,
                sum(kind IN ('void', 'expire')) AS given_back,
                sum(kind = 'hold' AND id IN (SELECT id FROM open_holds)) AS open
            FROM ledger_transfers WHERE kind <> 'grant' GROUP BY account
            """
        )
        return Dictionary(
            rows.map { row in
                let count = Count(
                    holds: row["holds"],
                    posted: row["posted"],
                    givenBack: row["given_back"],
                    open: row["open"]
                )
                return (row["account"], count)
            },
            uniquingKeysWith: { _, last in last }
        )
    }

    /// What does not add up, in sentences.
    static func problems(in database: Database) throws -> [String] {
        try rules.flatMap { rule in
            try database.rows("SELECT * FROM (\(rule.query)) LIMIT 10").map { row in
                let name: String = row["name"]
                return name.isEmpty ? rule.what : "\(rule.what): \(name)"
            }
        }
    }
}
