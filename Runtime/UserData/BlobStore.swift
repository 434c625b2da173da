import FunctionCore
import Invocations
import Storage
import Synchronization

/// The blobs: files under keys, each there entirely or not at all.
///
/// A file is written beside the others under a new name and made durable; then one commit of the index makes
/// it the blob. What a crash leaves between the two is a file that no key has, which `check` finds.
package final class BlobStore: Sendable {
    /// The bytes that all blobs may take unless the settings say otherwise.
    package static let defaultCapacity = 4 * 1024 * 1024 * 1024

    let clock: any HostClock
    let signature: SignatureV4
    let base = Mutex<String?>(nil)
    let index: BlobIndex
    let files: BlobFiles
    private let capacity: Int
    // Two lanes, so that a large file on its way to the disk does not hold up readers.
    let writing = BlockingLane("blobs.write")
    let reading = BlockingLane("blobs.read")
    let state: Mutex<State>

    struct State {
        /// Invocations that have temporary blobs, so that the end of any other costs nothing.
        var temporary: Set<String>
        /// Puts under way, whose files are in no index yet.
        var puts = 0
    }

    /// Opens `DATA/blobs`.
    package static func open(
        directory: String,
        clock: any HostClock,
        key: SigningKey,
        capacity: Int = BlobStore.defaultCapacity
    ) async throws -> BlobStore {
        let root = "\(directory)/blobs"
        let files = BlobFiles(root: root)
        try await blocking { try files.prepare() }
        let index = BlobIndex(try await SQLiteFile.open("\(root)/index.sqlite", schema: .blobs))
        let temporary = try await index.invocations()
        return BlobStore(index, files, clock, key, capacity, temporary)
    }

    private init(
        _ index: BlobIndex,
        _ files: BlobFiles,
        _ clock: any HostClock,
        _ key: SigningKey,
        _ capacity: Int,
        _ temporary: Set<String>
    ) {
        self.index = index
        self.files = files
        self.clock = clock
        self.signature = SignatureV4(key: key, region: "local", service: "s3")
        self.capacity = capacity
        self.state = Mutex(State(temporary: temporary))
    }

    /// Stores a blob, or replaces it.
    ///
    /// `invocation` is whose it is, if its key is temporary.
    package func put(
        _ key: String,
        _ bytes: Bytes,
        contentType: String,
        invocation: String? = nil
    ) async throws -> BlobReference {
        let key = try BlobKey(key)
        try Self.check(contentType)
        try await index.checkRoom(for: bytes.count, capacity: capacity)
        return try await publish(key, contentType, invocation) { files in
            try files.store(bytes.array, suffix: key.suffix)
        }
    }

    /// Takes a finished file over as a blob: the file is moved, and what cannot become a blob is lost.
    /// - Throws: `FunctionError`.
    package func adopt(file path: String, as key: String, contentType: String) async throws -> BlobReference {
        try await DataFault.mapped {
            let key = try BlobKey(key)
            try Self.check(contentType)
            guard let size = try await reading.run({ fileSize(path) }) else {
                throw StorageError(.notFound, "there is no file to take over as \(key.text)")
            }
            try await index.checkRoom(for: size, capacity: capacity)
            return try await publish(key, contentType, nil) { files in
                try files.adopt(path, suffix: key.suffix)
            }
        }
    }

    private func publish(
        _ key: BlobKey,
        _ contentType: String,
        _ invocation: String?,
        _ write: @escaping @Sendable (BlobFiles) throws -> BlobFiles.Stored
    ) async throws -> BlobReference {
        let owner = key.isTemporary ? key.namedInvocation ?? invocation : nil
        state.withLock { state in
            state.puts += 1
            // Before the commit: an invocation that ends meanwhile finds its blob.
            if let owner { state.temporary.insert(owner) }
        }
        defer { state.withLock { $0.puts -= 1 } }
        let files = files
        let stored = try await writing.run { try write(files) }
        let reference = BlobReference(
            key: key.text,
            sha256: stored.sha256,
            size: stored.size,
            contentType: contentType
        )
        do {
            let row = BlobIndex.Row(reference: reference, file: stored.name)
            let old = try await index.store(row, invocation: owner, capacity: capacity, now: clock.now)
            if let old { try? await writing.run { files.remove([old]) } }
            return reference
        } catch {
            try? await writing.run { files.remove([stored.name]) }
            throw error
        }
    }

    private static func check(_ contentType: String) throws {
        let isPlain = contentType.utf8.allSatisfy { (32...126).contains($0) }
        guard isPlain, (3...128).contains(contentType.utf8.count), contentType.contains("/") else {
            let message =
                "contentType must be a media type of at most 128 characters, such as image/png; correct it"
            throw FunctionError.invalid("contentType", "media_type", message)
        }
    }
}

// MARK: - Reading and removing

extension BlobStore {
    /// What is stored under a key, or nil.
    package func head(_ key: String) async throws -> BlobReference? {
        try await index.row(try BlobKey(key).text)?.reference
    }

    /// Opens a blob for reading.
    /// - Throws: `FunctionError` 404.
    package func reader(_ key: String) async throws -> BlobReader {
        // A blob that is replaced between the look into the index and the opening is looked up again.
        for _ in 0..<3 {
            let row = try await existing(key)
            let files = files
            if let descriptor = try await reading.run({ try files.descriptor(row.file) }) {
                return BlobReader(row.reference, descriptor: descriptor, lane: reading)
            }
        }
        throw StorageError(.corrupt, "the file of blob \(key) is missing; store the blob again")
    }

    /// Where a blob's file is, for programs that read files, such as the renderer.
    ///
    /// Its bytes never change; it goes when the blob is replaced or deleted.
    /// - Throws: `FunctionError` 404.
    package func localPath(forReading key: String) async throws -> String {
        try await DataFault.mapped { files.path(try await existing(key).file) }
    }

    /// Removes a blob; whether there was one.
    @discardableResult
    package func delete(_ key: String) async throws -> Bool {
        guard let file = try await index.remove(try BlobKey(key).text) else { return false }
        let files = files
        try await writing.run { files.remove([file]) }
        return true
    }

    /// Removes the temporary blobs of an invocation whose job has ended.
    ///
    /// Costs nothing where it has none.
    package func deleteTemporary(of invocation: String) async throws {
        guard state.withLock({ $0.temporary.contains(invocation) }) else { return }
        try await removeTemporary(of: invocation)
    }

    /// Removes temporary blobs of invocations that stored one before `horizon`, and never came to an end
    /// here.
    package func deleteTemporary(storedBefore horizon: Instant) async throws {
        for invocation in try await index.invocations(before: horizon) {
            try await removeTemporary(of: invocation)
        }
    }

    private func removeTemporary(of invocation: String) async throws {
        while true {
            let names = try await index.removeTemporary(of: invocation)
            let files = files
            try await writing.run { files.remove(names) }
            if names.count < 500 { break }
        }
        state.withLock { _ = $0.temporary.remove(invocation) }
    }

    /// Up to `limit` (1 to 1000) blobs whose keys begin with `prefix`, in the order of their keys, after
    /// `after`.
    package func list(prefix: String, after: String = "", limit: Int = 100) async throws -> [BlobReference] {
        try await index.list(prefix: prefix, after: after, limit: min(max(limit, 1), 1000)).map(\.reference)
    }

    /// The bytes that all blobs take.
    package func usage() async throws -> Int {
        try await index.usage()
    }

    /// Closes the index.
    package func close() async {
        await index.close()
    }

    private func existing(_ key: String) async throws -> BlobIndex.Row {
        guard let row = try await index.row(try BlobKey(key).text) else {
            throw FunctionError.notFound("there is no blob \(key); it may have been deleted with its job")
        }
        return row
    }
}
