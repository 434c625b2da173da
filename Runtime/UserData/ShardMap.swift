import FunctionCore
import Storage

/// Where a user's data lie.
package struct ShardPlace: Sendable, Hashable {
    /// How many users share a file.
    package static let users = 1000

    /// From 1.
    package let number: Int

    init(number: Int) {
        self.number = number
    }

    /// The shard of a user.
    /// - Throws: `FunctionError` 422 for a user below 1.
    package init(user: Int) throws {
        guard user >= 1 else {
            let message =
                "user is \(user) and must be 1 or more; pass the number the user was registered with"
            throw FunctionError.invalid("user", "range", message)
        }
        self.number = (user - 1) / Self.users + 1
    }

    /// `shard-0001.sqlite`.
    package var file: String {
        let digits = String(number)
        return "shard-\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits).sqlite"
    }

    /// The place that a file's name stands for, or nil for another file.
    init?(file: String) {
        guard file.hasPrefix("shard-"), file.hasSuffix(".sqlite"),
            let number = Int(file.dropFirst(6).dropLast(7)), number > 0
        else { return nil }
        self.number = number
        guard self.file == file else { return nil }
    }
}

/// The shards: opened when first used, the least recently used closed when too many are open.
///
/// An entry opens, serves, closes. A file in use is never closed, so for a moment there may be more than
/// `openLimit`: by as many as there are calls under way. A file that is being closed is waited for before it
/// is opened again, because two openings of one file in one process would drop each other's locks.
package actor ShardMap {
    /// How many files stay open; each takes about 5 descriptors and 2 threads while it works.
    package static let openLimit = 64

    private struct Entry {
        /// Nil before the first opening and after one that failed.
        var opening: Task<SQLiteFile, any Error>?
        var uses = 0
        var lastUse = 0
    }

    /// Wakes when a shard's outbox may have something to relay.
    nonisolated package let outboxAppended = WakeSignal()
    /// The shards that were there at the start.
    nonisolated let existing: [ShardPlace]
    /// All that are there.
    private(set) var known: Set<ShardPlace>
    let directory: String
    private let openLimit: Int
    private var entries: [Int: Entry] = [:]
    private var closing: [Int: Task<Void, Never>] = [:]
    private var clock = 0
    /// The shards whose outbox may hold something; at the start all that exist.
    private var lagging: Set<Int>
    private var closed = false

    /// The shards in `DATA/users`.
    package static func open(directory: String, openLimit: Int = ShardMap.openLimit) async throws -> ShardMap
    {
        let path = "\(directory)/users"
        let shards = try await blocking {
            try makeDirectory(path)
            return try names(in: path).compactMap { ShardPlace(file: $0)?.number }
        }
        return ShardMap(directory: path, openLimit: openLimit, existing: Set(shards))
    }

    private init(directory: String, openLimit: Int, existing: Set<Int>) {
        self.directory = directory
        self.openLimit = max(openLimit, 1)
        self.lagging = existing
        self.existing = existing.sorted().map { ShardPlace(number: $0) }
        known = Set(self.existing)
    }

    /// The file that holds a user's records; it may not be there yet.
    nonisolated package func locate(_ user: Int) throws -> String {
        "\(directory)/\(try ShardPlace(user: user).file)"
    }

    /// How many files are open.
    package var openCount: Int { entries.count }

    /// Runs `body` on a shard's file, which stays open meanwhile.
    package func use<Value: Sendable>(
        _ place: ShardPlace,
        _ body: @Sendable (SQLiteFile) async throws -> Value
    ) async throws -> Value {
        known.insert(place)
        let opening = begin(place.number)
        defer { end(place.number) }
        let file: SQLiteFile
        do {
            file = try await opening.value
        } catch {
            // The next call tries again: what was wrong may have been put right.
            if entries[place.number]?.opening == opening { entries[place.number]?.opening = nil }
            throw error
        }
        return try await body(file)
    }

    /// Says that a shard's outbox has something; call it after the commit.
    package func noteOutbox(_ place: ShardPlace) {
        lagging.insert(place.number)
        outboxAppended.wake()
    }

    /// Puts a shard back on the list without a signal.
    func noteLagging(_ place: ShardPlace) {
        lagging.insert(place.number)
    }

    /// Takes the shards whose outbox has to be looked at; whoever looks gives back those that had something.
    func takeLagging() -> [ShardPlace] {
        defer { lagging = [] }
        return lagging.sorted().map { ShardPlace(number: $0) }
    }

    /// Closes all files; calls after it fail.
    package func close() async {
        closed = true
        for entry in entries.values {
            if let file = try? await entry.opening?.value { await file.close() }
        }
        for task in closing.values { await task.value }
    }

    private func begin(_ number: Int) -> Task<SQLiteFile, any Error> {
        clock += 1
        var entry = entries[number] ?? Entry()
        let opening = entry.opening ?? open(number)
        entry.opening = opening
        entry.uses += 1
        entry.lastUse = clock
        entries[number] = entry
        evict()
        return opening
    }

    private func end(_ number: Int) {
        entries[number]?.uses -= 1
        evict()
    }

    /// Opens a file once its last closing is over.
    private func open(_ number: Int) -> Task<SQLiteFile, any Error> {
        let path = "\(directory)/\(ShardPlace(number: number).file)"
        let before = closing[number]
        let isClosed = closed
        return Task {
            if isClosed { throw StorageError(.closed, "\(path) is closed; the host is stopping") }
            await before?.value
            return try await SQLiteFile.open(path, schema: .shard, readers: 2)
        }
    }

    private func evict() {
        while entries.count > openLimit {
            let idle = entries.filter { $0.value.uses == 0 }
            guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
            entries[oldest.key] = nil
            let opening = oldest.value.opening
            let before = closing[oldest.key]
            closing[oldest.key] = Task {
                await before?.value
                if let file = try? await opening?.value { await file.close() }
            }
        }
    }
}
