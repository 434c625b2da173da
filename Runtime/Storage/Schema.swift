import GRDB

/// The shape of one kind of SQLite file, as the steps that lead to it.
///
/// The file's `user_version` says how many steps it has taken, its `application_id` what kind it is. A step
/// is never changed once it has been released; a new version appends one.
package struct Schema: Sendable {
    /// What the file is, for messages: `journal`.
    package let name: String
    /// The mark in the file's header.
    package let applicationID: Int32
    /// SQL, one text a version.
    package let steps: [String]

    package init(name: String, applicationID: Int32, steps: [String]) {
        self.name = name
        self.applicationID = applicationID
        self.steps = steps
    }

    /// Refuses a file of another kind or of a later version.
    ///
    /// It only reads, so that a refused file stays as it was.
    func check(_ database: Database, file: String) throws {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let mark = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        if mark != applicationID {
            let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            guard mark == 0, version == 0, tables == 0 else {
                throw StorageError(
                    .foreign,
                    "\(file) is not a \(name) file of swiftlet (its mark is \(mark), not \(applicationID)); "
                        + "move it away, or choose another data directory"
                )
            }
        }
        guard version <= steps.count else {
            throw StorageError(
                .newer,
                "\(file) has \(name) version \(version), and this swiftlet knows up to \(steps.count); "
                    + "run the newer swiftlet that wrote it, or restore a backup from before the upgrade"
            )
        }
    }

    /// Refuses a file that has not taken all steps, for who may only read it.
    func requireLatest(_ database: Database, file: String) throws {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard version == steps.count else {
            let message = "\(file) has \(name) version \(version), and this swiftlet reads \(steps.count)"
            throw StorageError(.older, message + "; start the host once, which brings it up to date")
        }
    }

    /// Takes the steps that are missing, all in one transaction.
    func migrate(_ database: Database) throws {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard version < steps.count else { return }
        try database.inTransaction(.immediate) {
            for step in steps[version...] {
                try database.execute(sql: step)
            }
            // Pragmas take no arguments; both values are our own numbers.
            try database.execute(sql: "PRAGMA user_version = \(steps.count)")
            try database.execute(sql: "PRAGMA application_id = \(applicationID)")
            return .commit
        }
    }
}
