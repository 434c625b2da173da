import FunctionCore
import Synchronization

// The bindings that keep data: users, documents, blobs, state.

extension FakeBindings {
    func users(_ request: BindingRequest) throws -> BindingReply {
        let query = try JSONCoder.decode(UserQuery.self, from: request.arguments)
        guard query.user >= 1 else {
            throw FunctionError.invalid("user", "range", "user must be 1 or more")
        }
        return try world.withLock { world in
            let records = world.users[query.user] ?? []
            switch request.method {
            case "get":
                let found = records.last { $0.collection == query.collection && $0.id == query.id }
                return try FakeBindings.reply(found)
            case "list":
                let kept = records.filter { $0.collection == query.collection }
                return try FakeBindings.reply(Array(kept.reversed().prefix(query.limit ?? 100)))
            case "write":
                return try FakeBindings.reply(world.commit(query.writes ?? [], for: query.user))
            default: throw FakeBindings.unknown(request)
            }
        }
    }

    func documents(_ request: BindingRequest, by invocation: String) async throws -> BindingReply {
        let query = try JSONCoder.decode(DocumentQuery.self, from: request.arguments)
        let key = query.key ?? ""
        switch request.method {
        case "claim": return try FakeBindings.reply(await claim(query.collection, key, by: invocation))
        case "get":
            return try FakeBindings.reply(world.withLock { $0.document(query.collection, key) })
        case "list":
            let documents = world.withLock { $0.documents[query.collection] ?? [] }
            return try FakeBindings.reply(Array(documents.reversed().prefix(query.limit ?? 100)))
        case "put":
            let (document, waiting) = try world.withLock { world in
                let document = try world.put(query.collection, key, query.value ?? .null, query.expected)
                let claim = world.claims.removeValue(forKey: "\(query.collection)/\(key)")
                return (document, claim?.waiting ?? [])
            }
            for waiter in waiting { waiter.continuation.resume(returning: document) }
            return try FakeBindings.reply(document)
        default: throw FakeBindings.unknown(request)
        }
    }

    private func claim(_ collection: String, _ key: String, by invocation: String) async -> Document? {
        let name = "\(collection)/\(key)"
        return await withCheckedContinuation { continuation in
            let found: Document?? = world.withLock { world in
                if let document = world.document(collection, key) { return .some(document) }
                if world.claims[name] != nil {
                    let waiter = FakeWorld.Waiter(invocation: invocation, continuation: continuation)
                    world.claims[name]?.waiting.append(waiter)
                    return nil
                }
                world.claims[name] = FakeWorld.Claim(holder: invocation)
                return .some(nil)
            }
            if case .some(let document) = found { continuation.resume(returning: document) }
        }
    }

    /// An invocation that held claims has ended without making its documents: the next in line gets each of
    /// them.
    ///
    /// All claims, where no invocation is named.
    public func releaseClaims(of invocation: String? = nil) {
        let next = world.withLock { world in
            var next: [CheckedContinuation<Document?, Never>] = []
            for (name, claim) in world.claims where invocation == nil || claim.holder == invocation {
                guard let first = claim.waiting.first else {
                    world.claims[name] = nil
                    continue
                }
                let rest = Array(claim.waiting.dropFirst())
                world.claims[name] = FakeWorld.Claim(holder: first.invocation, waiting: rest)
                next.append(first.continuation)
            }
            return next
        }
        for waiter in next { waiter.resume(returning: nil) }
    }

    func blobs(_ request: BindingRequest) throws -> BindingReply {
        let query = try JSONCoder.decode(BlobQuery.self, from: request.arguments)
        return try world.withLock { world in
            switch request.method {
            case "put":
                let type = query.contentType ?? "application/octet-stream"
                return try FakeBindings.reply(world.store(query.key, request.body, type))
            case "get":
                guard let blob = world.blobs[query.key] else {
                    throw FunctionError.notFound("no blob \(query.key)")
                }
                return BindingReply(value: "{}", body: FakeBindings.body([blob.bytes]))
            case "head": return try FakeBindings.reply(world.reference(query.key))
            case "delete":
                world.blobs[query.key] = nil
                return BindingReply(value: "{}")
            case "sign":
                let expires = world.now + .seconds(query.seconds ?? 60)
                let url = "http://blobs.test/\(query.key)?expires=\(expires.seconds)"
                return try FakeBindings.reply(SignedURL(url: url, expires: expires))
            default: throw FakeBindings.unknown(request)
            }
        }
    }

    func state(_ request: BindingRequest) throws -> BindingReply {
        let query = try JSONCoder.decode(StateQuery.self, from: request.arguments)
        return try world.withLock { world in
            let key = query.key
            switch request.method {
            case "get": return try FakeBindings.reply(world.strings[key])
            case "set": world.strings[key] = query.value
            case "replace":
                let stands = (world.strings[key] ?? "") == (query.expected ?? "")
                if stands { world.strings[key] = query.value }
                return try FakeBindings.reply(stands)
            case "delete":
                world.strings[key] = nil
                world.hashes[key] = nil
                world.lists[key] = nil
            case "increment":
                let sum = (world.strings[key].flatMap { Int($0) } ?? 0) + (query.count ?? 1)
                world.strings[key] = String(sum)
                return try FakeBindings.reply(sum)
            case "fields": return try FakeBindings.reply(world.hashes[key] ?? [:])
            case "set-fields": world.hashes[key, default: [:]].merge(query.fields ?? [:]) { $1 }
            case "append":
                let list = (world.lists[key] ?? []) + [query.value ?? ""]
                world.lists[key] = Array(list.suffix(query.count ?? list.count))
            case "last":
                return try FakeBindings.reply(Array((world.lists[key] ?? []).suffix(query.count ?? 0)))
            default: throw FakeBindings.unknown(request)
            }
            return BindingReply(value: "{}")
        }
    }

    /// A body of these pieces.
    static func body(_ pieces: [Bytes]) -> BindingBody {
        let rest = Mutex(pieces)
        return BindingBody { rest.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    }
}

// MARK: - What a test sees and sets

extension FakeBindings {
    /// A user's records of one collection, newest last.
    public func records(_ user: Int, _ collection: String) -> [UserRecord] {
        world.withLock { ($0.users[user] ?? []).filter { $0.collection == collection } }
    }

    /// Puts a record where a function will find it.
    public func store(_ user: Int, _ collection: String, _ id: String, _ value: JSON) {
        world.withLock { _ = $0.commit([.put(collection: collection, id: id, value: value)], for: user) }
    }

    /// One document, or nil.
    public func document(_ collection: String, _ key: String) -> Document? {
        world.withLock { $0.document(collection, key) }
    }

    /// Puts a document where a function will find it.
    public func store(_ collection: String, _ key: String, _ value: JSON) throws {
        _ = try world.withLock { try $0.put(collection, key, value, nil) }
    }

    /// A file's bytes, or nil.
    public func blob(_ key: String) -> Bytes? {
        world.withLock { $0.blobs[key]?.bytes }
    }

    /// The keys of all files, sorted.
    public var blobKeys: [String] { world.withLock { $0.blobs.keys.sorted() } }

    /// The string under a key of `state`.
    public func string(_ key: String) -> String? { world.withLock { $0.strings[key] } }

    /// Sets the string under a key of `state`.
    public func setString(_ key: String, _ value: String?) { world.withLock { $0.strings[key] = value } }

    /// The hash under a key of `state`.
    public func hash(_ key: String) -> [String: String] { world.withLock { $0.hashes[key] ?? [:] } }

    /// The list under a key of `state`.
    public func list(_ key: String) -> [String] { world.withLock { $0.lists[key] ?? [] } }
}

extension FakeWorld {
    mutating func commit(_ writes: [UserWrite], for user: Int) -> UserWriteResult {
        var records = users[user] ?? []
        func place(_ collection: String, _ id: String) -> Int? {
            records.firstIndex { $0.collection == collection && $0.id == id }
        }
        let met = writes.compactMap { write -> UserRecord? in
            guard case .create(let collection, let id, _) = write else { return nil }
            return place(collection, id).map { records[$0] }
        }
        guard met.isEmpty else { return UserWriteResult(committed: false, records: met) }
        var written: [UserRecord] = []
        for write in writes {
            switch write {
            case .put(let collection, let id, let value), .create(let collection, let id, let value):
                let old = place(collection, id).map { records.remove(at: $0) }
                let record = UserRecord(
                    collection: collection,
                    id: id,
                    version: (old?.version ?? 0) + 1,
                    value: value,
                    created: old?.created ?? now,
                    updated: now
                )
                records.append(record)
                written.append(record)
            case .delete(let collection, let id):
                if let old = place(collection, id) { records.remove(at: old) }
            case .emit(let event):
                if event.id == nil || !events.contains(where: { $0.id == event.id }) { events.append(event) }
            }
        }
        users[user] = records
        return UserWriteResult(committed: true, records: written)
    }

    func document(_ collection: String, _ key: String) -> Document? {
        documents[collection]?.first { $0.key == key }
    }

    mutating func put(_ collection: String, _ key: String, _ value: JSON, _ expected: Int?) throws -> Document
    {
        let version = document(collection, key)?.version ?? 0
        if let expected, expected != version {
            throw FunctionError.conflict("version_conflict", "\(collection)/\(key) is at version \(version)")
        }
        let document = Document(key: key, version: version + 1, value: value, updated: now)
        documents[collection, default: []].removeAll { $0.key == key }
        documents[collection, default: []].append(document)
        return document
    }

    mutating func store(_ key: String, _ bytes: Bytes, _ contentType: String) -> BlobReference {
        blobs[key] = Blob(bytes: bytes, contentType: contentType)
        return BlobReference(
            key: key,
            sha256: FakeWorld.digest(bytes),
            size: bytes.count,
            contentType: contentType
        )
    }

    func reference(_ key: String) -> BlobReference? {
        blobs[key].map {
            BlobReference(
                key: key,
                sha256: FakeWorld.digest($0.bytes),
                size: $0.bytes.count,
                contentType: $0.contentType
            )
        }
    }

    /// 64 hexadecimal digits that differ with the bytes; no SHA-256, which tests of functions have no need
    /// of.
    private static func digest(_ bytes: Bytes) -> String {
        let hash = bytes.array.reduce(UInt64(14_695_981_039_346_656_037)) {
            ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        let digits = String(hash, radix: 16)
        return String(repeating: String(repeating: "0", count: 16 - digits.utf8.count) + digits, count: 4)
    }
}
