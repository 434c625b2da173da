import Dispatch
import FunctionCore
import GRDB
import Glibc
import Storage
import TestSupport
import Testing

private let notes = Schema(
    name: "notes",
    applicationID: 77,
    steps: ["CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)"]
)

private func add(_ text: String) -> @Sendable (Database) throws -> Void {
    { try $0.run("INSERT INTO notes (text) VALUES (?)", [text]) }
}

private func all(_ file: SQLiteFile) async throws -> [String] {
    try await file.read { try $0.rows("SELECT text FROM notes ORDER BY id").map { $0["text"] } }
}

@Suite(.timeLimit(.minutes(1)))
struct SQLiteFileTests {
    private let workspace = Workspace()
    private var path: String { workspace.path + "/deep/er/notes.sqlite" }

    @Test("a file is made with its directories, in WAL mode and with full synchronisation")
    func opening() async throws {
        let file = try await SQLiteFile.open(path, schema: notes)
        let modes = try await file.write { database in
            let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode")
            return (mode, try Int.fetchOne(database, sql: "PRAGMA synchronous"))
        }
        #expect(modes.0 == "wal")
        #expect(modes.1 == 2)
        await file.close()
    }

    @Test("a file and what stands beside it are its owner's alone, also one that was not")
    func modes() async throws {
        func modes() -> [UInt32] {
            ["", "-wal", "-shm"].map { suffix in
                var status = stat()
                return stat(path + suffix, &status) == 0 ? status.st_mode & 0o777 : 0
            }
        }
        let file = try await SQLiteFile.open(path, schema: notes)
        try await file.write(add("a"))
        #expect(modes() == [0o600, 0o600, 0o600])
        await file.close()
        #expect(chmod(path, 0o644) == 0)
        let again = try await SQLiteFile.open(path, schema: notes)
        try await again.write(add("b"))
        #expect(modes() == [0o600, 0o600, 0o600])
        await again.close()
    }

    @Test("a file of a later version is refused with both versions and the remedy, and stays as it was")
    func newer() async throws {
        let file = try await SQLiteFile.open(path, schema: notes)
        try await file.write { try $0.execute(sql: "PRAGMA user_version = 7") }
        await file.close()
        let before = contents(path)
        let error = await #expect(throws: StorageError.self) {
            try await SQLiteFile.open(path, schema: notes)
        }
        #expect(error?.code == .newer)
        #expect(error?.message.contains("notes version 7") == true)
        #expect(error?.message.contains("up to 1") == true)
        #expect(error?.message.contains("restore a backup") == true)
        #expect(contents(path) == before)
    }

    @Test("a file of another kind is refused")
    func foreign() async throws {
        let file = try await SQLiteFile.open(path, schema: notes)
        await file.close()
        let other = Schema(name: "journal", applicationID: 78, steps: notes.steps)
        let error = await #expect(throws: StorageError.self) {
            try await SQLiteFile.open(path, schema: other)
        }
        #expect(error?.code == .foreign)
    }

    @Test("a file that is no database is called damaged")
    func damaged() async throws {
        store(
            Array("this is no database, but it is long enough to be looked at".utf8),
            at: workspace.path + "/x"
        )
        let error = await #expect(throws: StorageError.self) {
            try await SQLiteFile.open(workspace.path + "/x", schema: notes)
        }
        #expect(error?.code == .corrupt)
    }

    @Test("an older file takes the steps it lacks and keeps its rows")
    func migration() async throws {
        let old = try await SQLiteFile.open(path, schema: notes)
        try await old.write(add("kept"))
        await old.close()
        let step = "ALTER TABLE notes ADD COLUMN stars INTEGER NOT NULL DEFAULT 3"
        let schema = Schema(name: "notes", applicationID: 77, steps: notes.steps + [step])
        let file = try await SQLiteFile.open(path, schema: schema)
        let row = try await file.read {
            try $0.first("SELECT text, stars FROM notes").map { "\($0[0] as String) \($0[1] as Int)" }
        }
        #expect(row == "kept 3")
        await file.close()
    }

    @Test(
        "writes that come during a transaction are committed together, and a failed one undoes itself only"
    )
    func groupCommit() async throws {
        let file = try await SQLiteFile.open(path, schema: notes)
        let (entered, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        async let first: Void = file.write { database in
            entered.signal()
            gate.wait()
            try add("0")(database)
        }
        try await blocking { entered.wait() }
        let results = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 1...40 {
                group.addTask {
                    // Every tenth repeats the first, which UNIQUE forbids.
                    do {
                        try await file.write(add(number.isMultiple(of: 10) ? "0" : "\(number)"))
                        return true
                    } catch is StorageError {
                        return false
                    }
                }
            }
            defer { gate.signal() }
            while file.waitingWrites < 40, !Task.isCancelled { await Task.yield() }
            gate.signal()
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        try await first
        #expect(results == 36)
        #expect(try await all(file).count == 37)
        #expect(file.transactions == 2)
        await file.close()
    }

    @Test("a write after the closing is refused")
    func closed() async throws {
        let file = try await SQLiteFile.open(path, schema: notes)
        await file.close()
        let error = await #expect(throws: StorageError.self) { try await file.write(add("late")) }
        #expect(error?.code == .closed)
    }

    @Test("a copy of the files at any moment holds every write that had returned")
    func crash() async throws {
        let file = try await SQLiteFile.open(path, schema: notes)
        for number in 1...20 { try await file.write(add("\(number)")) }
        let copy = workspace.path + "/copy.sqlite"
        store(contents(path), at: copy)
        store(contents(path + "-wal"), at: copy + "-wal")
        try await file.write(add("after the crash"))
        let recovered = try await SQLiteFile.open(copy, schema: notes)
        #expect(try await all(recovered) == (1...20).map { "\($0)" })
        await recovered.close()
        await file.close()
    }

    @Test("a WAL that is cut anywhere leaves the first writes and nothing else", arguments: [1, 3, 5, 7, 9])
    func tornWAL(_ tenths: Int) async throws {
        let file = try await SQLiteFile.open(path, schema: notes)
        for number in 1...20 { try await file.write(add("\(number)")) }
        let copy = workspace.path + "/copy.sqlite"
        let wal = contents(path + "-wal")
        store(contents(path), at: copy)
        store(Array(wal[..<(wal.count * tenths / 10 + 100)]), at: copy + "-wal")
        await file.close()
        let recovered = try await SQLiteFile.open(copy, schema: notes)
        let found = try await all(recovered)
        #expect(found == (1...20).map { "\($0)" }.prefix(found.count).map { $0 })
        await recovered.close()
    }
}
