import FunctionCore
import GRDB
import Storage

/// A step of a rotation, as it is kept.
package struct RotationRow: Sendable, Hashable {
    package var kind: String
    package var window: String
    package var token: UInt64
    package var at: Instant
    /// When the window's span was to open.
    package var opens: Instant
    /// From here on the token was worth nothing.
    package var hardStop: Instant
    package var reason: String?

    package init(
        kind: String,
        window: String,
        token: UInt64,
        at: Instant,
        opens: Instant,
        hardStop: Instant,
        reason: String?
    ) {
        self.kind = kind
        self.window = window
        self.token = token
        self.at = at
        self.opens = opens
        self.hardStop = hardStop
        self.reason = reason
    }
}

/// How the rotations stand, and what they did.
package final class RotationStore: Sendable {
    /// How many steps of each rotation are kept: a year of two windows a day and more.
    package static let rowsMax = 10_000

    static let schema = """
        CREATE TABLE rotation_events (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            rotation TEXT NOT NULL,
            kind TEXT NOT NULL,
            window TEXT NOT NULL,
            token INTEGER NOT NULL,
            at INTEGER NOT NULL,
            opens INTEGER NOT NULL,
            hard_stop INTEGER NOT NULL,
            reason TEXT
        );
        CREATE INDEX rotation_events_order ON rotation_events (rotation, seq);
        """

    private let file: SQLiteFile

    init(_ file: SQLiteFile) {
        self.file = file
    }

    /// A rotation's state, or nil for one that is new.
    package func state(of rotation: String) async throws -> String? {
        try await file.read {
            try $0.first("SELECT value FROM rotations WHERE key = ?", [rotation])?["value"]
        }
    }

    /// Replaces a rotation's state and keeps what led to it, both or neither.
    package func record(_ rotation: String, _ state: String, _ row: RotationRow) async throws {
        try await file.write { database in
            try database.run(
                "INSERT INTO rotations VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                [rotation, state]
            )
            try database.run(
                """
                INSERT INTO rotation_events (rotation, kind, window, token, at, opens, hard_stop, reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    rotation, row.kind, row.window, Int64(clamping: row.token), row.at.nanoseconds,
                    row.opens.nanoseconds, row.hardStop.nanoseconds, row.reason,
                ]
            )
            try database.run(
                """
                DELETE FROM rotation_events WHERE rotation = ?1 AND seq <=
                (SELECT seq FROM rotation_events WHERE rotation = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)
                """,
                [rotation, RotationStore.rowsMax]
            )
        }
    }

    /// The latest steps of a rotation, oldest first.
    package func rows(of rotation: String, limit: Int = rowsMax) async throws -> [RotationRow] {
        try await file.read { database in
            try database.rows(
                "SELECT * FROM rotation_events WHERE rotation = ? ORDER BY seq DESC LIMIT ?",
                [rotation, limit]
            ).reversed().map { row in
                RotationRow(
                    kind: row["kind"],
                    window: row["window"],
                    token: UInt64(clamping: row["token"] as Int64),
                    at: Instant(nanoseconds: row["at"]),
                    opens: Instant(nanoseconds: row["opens"]),
                    hardStop: Instant(nanoseconds: row["hard_stop"]),
                    reason: row["reason"]
                )
            }
        }
    }
}
