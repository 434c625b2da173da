import FunctionCore
import GRDB
import Storage

/// Rotations in the host's own file, which no other host opens.
final class RotationStore: RotationBook {
    let lease: Duration? = nil

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

    func hold(_ rotation: String) async throws -> RotationHold { .mine(isNew: false) }

    func release(_ rotation: String) async {}

    func state(of rotation: String) async throws -> String? {
        try await file.read {
            try $0.first("SELECT value FROM rotations WHERE key = ?", [rotation])?["value"]
        }
    }

    func record(_ rotation: String, _ state: String, _ row: RotationRow) async throws -> Bool {
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
                [rotation, RotationRow.kept]
            )
        }
        return true
    }

    func rows(of rotation: String, limit: Int) async throws -> [RotationRow] {
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
