/// A record of one user.
public struct UserRecord: Sendable, Codable {
    /// What kind of record: `answers`, `scripts`, `videos`.
    public var collection: String
    /// The record's id, unique in the user's collection.
    public var id: String
    /// 1 for a new record, one more at each change.
    public var version: Int
    /// What it holds.
    public var value: JSON
    /// When it was made, by the wall clock.
    public var created: Instant
    /// When it was last changed.
    public var updated: Instant

    /// A record.
    public init(collection: String, id: String, version: Int, value: JSON, created: Instant, updated: Instant)
    {
        self.collection = collection
        self.id = id
        self.version = version
        self.value = value
        self.created = created
        self.updated = updated
    }
}

/// One step of a transaction on a user's data.
public enum UserWrite: Sendable, Codable {
    /// Stores a record, whether or not there is one.
    case put(collection: String, id: String, value: JSON)
    /// Stores a record only where there is none; else the transaction does nothing and `write` returns what
    /// is there.
    case create(collection: String, id: String, value: JSON)
    /// Removes a record, if there is one.
    case delete(collection: String, id: String)
    /// Says that something happened: relayed if, and only if, the transaction is committed.
    case emit(OutgoingEvent)
}

/// What a transaction on a user's data left behind.
public struct UserWriteResult: Sendable, Codable {
    /// Whether it was committed; false where a `create` met a record.
    public var committed: Bool
    /// The records as they now are, in the order of the `put`s and `create`s.
    public var records: [UserRecord]

    /// A result.
    public init(committed: Bool, records: [UserRecord]) {
        self.committed = committed
        self.records = records
    }
}

/// The arguments of the `users` calls.
public struct UserQuery: Sendable, Codable {
    /// The user, from 1.
    public var user: Int
    /// The collection.
    public var collection: String?
    /// The record.
    public var id: String?
    /// How many at most, newest first.
    public var limit: Int?
    /// The transaction.
    public var writes: [UserWrite]?

    /// A query.
    public init(
        user: Int,
        collection: String? = nil,
        id: String? = nil,
        limit: Int? = nil,
        writes: [UserWrite]? = nil
    ) {
        self.user = user
        self.collection = collection
        self.id = id
        self.limit = limit
        self.writes = writes
    }
}

/// A user's records.
///
/// All of one user lie in one shard, which the user's number decides.
public struct UsersBinding: Sendable {
    let caller: any BindingCaller

    /// Carries out all of `writes` in one transaction of the user's shard, or none.
    /// - Throws: `FunctionError`: `invalid_input` 422 for a user below 1, `storage_failed` 503.
    public func write(_ user: Int, _ writes: [UserWrite]) async throws -> UserWriteResult {
        try await caller.value("users", "write", UserQuery(user: user, writes: writes))
    }

    /// One record, or nil.
    public func get(_ user: Int, _ collection: String, _ id: String) async throws -> UserRecord? {
        try await caller.value("users", "get", UserQuery(user: user, collection: collection, id: id))
    }

    /// A collection's records, the last changed first; at most 100 unless `limit` (1 to 1000) says otherwise.
    public func list(_ user: Int, _ collection: String, limit: Int = 100) async throws -> [UserRecord] {
        try await caller.value("users", "list", UserQuery(user: user, collection: collection, limit: limit))
    }
}

/// A document shared by all users.
public struct Document: Sendable, Codable {
    /// The document's key, unique in its collection.
    public var key: String
    /// 1 for a new document, one more at each change.
    public var version: Int
    /// What it holds.
    public var value: JSON
    /// When it was last changed.
    public var updated: Instant

    /// A document.
    public init(key: String, version: Int, value: JSON, updated: Instant) {
        self.key = key
        self.version = version
        self.value = value
        self.updated = updated
    }
}

/// The arguments of the `documents` calls.
public struct DocumentQuery: Sendable, Codable {
    /// The collection.
    public var collection: String
    /// The document.
    public var key: String?
    /// What to store.
    public var value: JSON?
    /// The version that must be there; 0 for none.
    public var expected: Int?
    /// How many at most.
    public var limit: Int?

    /// A query.
    public init(
        collection: String,
        key: String? = nil,
        value: JSON? = nil,
        expected: Int? = nil,
        limit: Int? = nil
    ) {
        self.collection = collection
        self.key = key
        self.value = value
        self.expected = expected
        self.limit = limit
    }
}

/// Documents shared by all users.
public struct DocumentsBinding: Sendable {
    let caller: any BindingCaller

    /// One document, or nil.
    public func get(_ collection: String, _ key: String) async throws -> Document? {
        try await caller.value("documents", "get", DocumentQuery(collection: collection, key: key))
    }

    /// The document of that key; or, where there is none, the sole right to make it.
    ///
    /// Of several invocations that claim one key at once, one gets nil and makes the document with `put`; the
    /// others wait and get what it made. A claim ends with its invocation, and the next in line gets it.
    public func claim(_ collection: String, _ key: String) async throws -> Document? {
        try await caller.value("documents", "claim", DocumentQuery(collection: collection, key: key))
    }

    /// Stores a document; with `expected`, only over that version (0: only where there is none).
    /// - Throws: `FunctionError` 409 `version_conflict`.
    public func put(
        _ collection: String,
        _ key: String,
        _ value: JSON,
        expected: Int? = nil
    ) async throws -> Document {
        let query = DocumentQuery(collection: collection, key: key, value: value, expected: expected)
        return try await caller.value("documents", "put", query)
    }

    /// A collection's documents, the last changed first; `limit` 1 to 1000.
    public func list(_ collection: String, limit: Int = 100) async throws -> [Document] {
        try await caller.value("documents", "list", DocumentQuery(collection: collection, limit: limit))
    }
}

/// Where a stored file is, and what it is.
public struct BlobReference: Sendable, Codable, Hashable {
    /// Its key: `outputs/1500/job/video.mp4`.
    public var key: String
    /// SHA-256 of its bytes, 64 lower-case hexadecimal digits.
    public var sha256: String
    /// How many bytes.
    public var size: Int
    /// Its media type.
    public var contentType: String

    /// A reference.
    public init(key: String, sha256: String, size: Int, contentType: String) {
        self.key = key
        self.sha256 = sha256
        self.size = size
        self.contentType = contentType
    }
}

/// The arguments of the `blobs` calls.
public struct BlobQuery: Sendable, Codable {
    /// The blob's key, or a prefix of keys.
    public var key: String
    /// The media type to store.
    public var contentType: String?
    /// For how long a URL is good, in seconds of the wall clock.
    public var seconds: Int?

    /// A query.
    public init(key: String, contentType: String? = nil, seconds: Int? = nil) {
        self.key = key
        self.contentType = contentType
        self.seconds = seconds
    }
}

/// A URL that opens one blob for a while.
public struct SignedURL: Sendable, Codable {
    /// The URL.
    public var url: String
    /// When it stops.
    public var expires: Instant

    /// A URL.
    public init(url: String, expires: Instant) {
        self.url = url
        self.expires = expires
    }
}

/// Files.
///
/// Keys begin with `inputs/`, `outputs/`, `references/` or `temp/`; `temp/` is emptied when the invocation's
/// job ends.
public struct BlobsBinding: Sendable {
    let caller: any BindingCaller

    /// Stores a file whole: it is there entirely or not at all.
    ///
    /// At most 16 MiB.
    public func put(_ key: String, _ bytes: Bytes, contentType: String) async throws -> BlobReference {
        try await caller.value("blobs", "put", BlobQuery(key: key, contentType: contentType), body: bytes)
    }

    /// A file's bytes.
    ///
    /// - Throws: `FunctionError` 404 `not_found`.
    public func get(_ key: String) async throws -> Bytes {
        try await caller.reply("blobs", "get", BlobQuery(key: key)).body.collect()
    }

    /// What is stored under a key, or nil.
    public func head(_ key: String) async throws -> BlobReference? {
        try await caller.value("blobs", "head", BlobQuery(key: key))
    }

    /// Removes a file, if there is one.
    public func delete(_ key: String) async throws {
        let _: Nothing = try await caller.value("blobs", "delete", BlobQuery(key: key))
    }

    /// A URL that answers 200 for `seconds` (1 to 604800) of the wall clock and 403 after.
    public func signedURL(_ key: String, seconds: Int = 60) async throws -> SignedURL {
        try await caller.value("blobs", "sign", BlobQuery(key: key, seconds: seconds))
    }
}
