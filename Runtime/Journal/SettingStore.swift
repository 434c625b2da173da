import FunctionCore
import GRDB
import Storage

/// Small things the host remembers under a key: settings that were changed while it ran, and the state of
/// rotations.
package final class SettingStore: Sendable {
    private let file: SQLiteFile

    init(_ file: SQLiteFile) {
        self.file = file
    }

    /// A setting, or nil.
    package func setting(_ key: String) async throws -> String? {
        try await file.read { try $0.first("SELECT value FROM settings WHERE key = ?", [key])?["value"] }
    }

    /// Stores a setting; nil removes it.
    package func setSetting(_ key: String, _ value: String?) async throws {
        try await file.write { database in
            guard let value else { return _ = try database.run("DELETE FROM settings WHERE key = ?", [key]) }
            try database.run(
                "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                [key, value]
            )
        }
    }

    /// A rotation's state, or nil for one that is new.
    package func rotation(_ key: String) async throws -> JSON? {
        try await file.read {
            try $0.first("SELECT value FROM rotations WHERE key = ?", [key])?.json("value")
        }
    }

    /// Replaces a rotation's state: after a crash the old one is there whole, or the new one.
    package func setRotation(_ key: String, _ state: JSON) async throws {
        let text = state.text
        try await file.write { database in
            try database.run(
                "INSERT INTO rotations VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                [key, text]
            )
        }
    }
}
