import FunctionCore
import GRDB
import Storage

/// Settings that were changed while the host ran, under their keys.
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
}
