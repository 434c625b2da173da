/// The arguments of the `state` calls.
public struct StateQuery: Sendable, Codable {
    /// The key, without the host's prefix.
    public var key: String
    /// What to store, append, or compare with.
    public var value: String?
    /// The fields of a hash to store.
    public var fields: [String: String]?
    /// The value that must be there; an empty string for none.
    public var expected: String?
    /// How many of a list to keep or read, or by how much to count.
    public var count: Int?

    /// A query.
    public init(
        key: String,
        value: String? = nil,
        fields: [String: String]? = nil,
        expected: String? = nil,
        count: Int? = nil
    ) {
        self.key = key
        self.value = value
        self.fields = fields
        self.expected = expected
        self.count = count
    }
}

/// Small shared state in Redis, under the keys `state:<key>`, so that an operator can read and change it with
/// any client.
///
/// All calls throw `FunctionError` 503 `redis_unavailable` while Redis is away. Calls of a windowed
/// invocation are refused with 409 `fencing_token_stale` once its window has passed to another.
public struct StateBinding: Sendable {
    let caller: any BindingCaller

    /// A string, or nil (GET).
    public func get(_ key: String) async throws -> String? {
        try await caller.value("state", "get", StateQuery(key: key))
    }

    /// Stores a string (SET).
    public func set(_ key: String, _ value: String) async throws {
        let _: Nothing = try await caller.value("state", "set", StateQuery(key: key, value: value))
    }

    /// Stores a string only where `expected` stands now (nil: where nothing stands); tells whether it did.
    public func replace(_ key: String, expected: String?, with value: String) async throws -> Bool {
        try await caller.value(
            "state",
            "replace",
            StateQuery(key: key, value: value, expected: expected ?? "")
        )
    }

    /// Removes a key (DEL).
    public func delete(_ key: String) async throws {
        let _: Nothing = try await caller.value("state", "delete", StateQuery(key: key))
    }

    /// Adds to an integer and returns it (INCRBY).
    public func increment(_ key: String, by count: Int = 1) async throws -> Int {
        try await caller.value("state", "increment", StateQuery(key: key, count: count))
    }

    /// All fields of a hash; empty where there is none (HGETALL).
    public func fields(_ key: String) async throws -> [String: String] {
        try await caller.value("state", "fields", StateQuery(key: key))
    }

    /// Stores fields of a hash (HSET).
    public func setFields(_ key: String, _ fields: [String: String]) async throws {
        let _: Nothing = try await caller.value("state", "set-fields", StateQuery(key: key, fields: fields))
    }

    /// Appends to a list and keeps its last `keep` members (RPUSH, LTRIM).
    public func append(_ key: String, _ value: String, keep: Int) async throws {
        let query = StateQuery(key: key, value: value, count: keep)
        let _: Nothing = try await caller.value("state", "append", query)
    }

    /// The last `count` members of a list, oldest first (LRANGE).
    public func last(_ key: String, _ count: Int) async throws -> [String] {
        try await caller.value("state", "last", StateQuery(key: key, count: count))
    }
}
