import FunctionCore
import Storage
import Synchronization

/// What does not fit together in a blob store.
package struct BlobCheck: Sendable, Hashable {
    /// Files that no key has; what crashes leave.
    package var orphanFiles: [String] = []
    /// Keys whose file is missing or has another size.
    package var brokenKeys: [String] = []
    /// Whether blobs were being stored during the check, so that files on their way may count as orphans.
    package var concurrentPuts = false
}

extension BlobStore {
    /// Compares index and files, both ways.
    package func check() async throws -> BlobCheck {
        var result = BlobCheck()
        result.concurrentPuts = state.withLock { $0.puts } > 0
        let files = files
        var unclaimed = try await reading.run { try files.all() }
        var after = ""
        while true {
            let rows = try await index.list(prefix: "", after: after, limit: 1000)
            for row in rows where unclaimed.removeValue(forKey: row.file) != row.reference.size {
                result.brokenKeys.append(row.reference.key)
            }
            guard rows.count == 1000, let last = rows.last else { break }
            after = last.reference.key
        }
        result.orphanFiles = unclaimed.keys.sorted()
        return result
    }

    /// Removes files that no key has.
    ///
    /// Only before anything is stored, as at the host's start: a file on its way looks like an orphan.
    package func removeOrphans() async throws -> Int {
        let found = try await check()
        guard !found.concurrentPuts else { return 0 }
        let files = files
        try await writing.run { files.remove(found.orphanFiles) }
        return found.orphanFiles.count
    }
}
