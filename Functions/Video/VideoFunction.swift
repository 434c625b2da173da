import FunctionCore

/// Turns a script into an mp4 with narration and captions, stores it, and says `video.ready` in the
/// transaction that puts the reference into the user's shard.
///
/// Operations: `create` (the default), `list`, `get`, and `generated` for the events of `script`.
public struct VideoFunction: AsyncFunction {
    /// How long a URL is good; a new one is had by asking again.
    private static let urlSeconds = 60

    /// Nothing to prepare.
    public init() throws {}

    /// Answers one event.
    public func handle(_ event: Event, _ context: Context) async throws -> Reply {
        if event.kind == .redis { return try await generated(event, context) }
        let object = try event.object()
        let named = object["operation"]?.stringValue ?? "create"
        switch event.operation.isEmpty ? named : event.operation {
        case "create":
            // The invocation's id is the job's, and stays over all attempts.
            let maker = FilmMaker(context: context, request: try VideoRequest(object), id: context.invocation)
            return .json(try await signed(try await maker.make(), context), status: 201)
        case "list": return try await list(object, context)
        case "get": return try await get(object, context)
        default: throw FunctionError.invalid("operation", "known", "operation is none of create, list, get")
        }
    }

    /// A script that was generated becomes a film.
    ///
    /// The film has the script's id, so that an entry that is delivered again finds the film it made before.
    private func generated(_ event: Event, _ context: Context) async throws -> Reply {
        let batch = try event.decode(RedisEvent.self)
        var last: JSON = nil
        for entry in batch.entries {
            let request = try VideoRequest(entry.data)
            guard VideoFunction.isID(request.script) else {
                throw FunctionError.invalid(
                    "data.script",
                    "pattern",
                    "script must be made of letters, digits, `.`, `_`, `-`"
                )
            }
            last = try await FilmMaker(context: context, request: request, id: request.script).make()
        }
        return .json(last, status: 201)
    }

    private func list(_ object: JSON, _ context: Context) async throws -> Reply {
        let user = try user(of: object)
        // Each film takes a call for each of its two URLs, so few are shown unless more are asked for.
        let limit = object["limit"] == nil ? 20 : object["limit"]?.intValue ?? 0
        guard (1...100).contains(limit) else {
            throw FunctionError.invalid("limit", "range", "limit must be a whole number from 1 to 100")
        }
        let records = try await context.bindings.users.list(user, FilmMaker.collection, limit: limit)
        var videos: [JSON] = []
        for record in records { videos.append(try await signed(record.value, context)) }
        return .json([
            "user": .integer(Int64(user)), "count": .integer(Int64(videos.count)), "videos": .array(videos),
        ])
    }

    private func get(_ object: JSON, _ context: Context) async throws -> Reply {
        let user = try user(of: object)
        let id = object["id"].flatMap { $0.stringValue ?? $0.intValue.map { String($0) } } ?? ""
        guard let record = try await context.bindings.users.get(user, FilmMaker.collection, id) else {
            throw FunctionError.notFound("user \(user) has no video \"\(id.prefix(120))\"")
        }
        return .json(try await signed(record.value, context))
    }

    /// The record with URLs for film and captions.
    ///
    /// They are never stored, for they end.
    private func signed(_ record: JSON, _ context: Context) async throws -> JSON {
        guard var object = record.objectValue, let key = object["key"]?.stringValue else { return record }
        let blobs = context.bindings.blobs
        let film = try await blobs.signedURL(key, seconds: Self.urlSeconds)
        object["url"] = .string(film.url)
        object["expires"] = .string(film.expires.rfc3339)
        if var captions = object["captions"]?.objectValue, let key = captions["key"]?.stringValue {
            captions["url"] = .string(try await blobs.signedURL(key, seconds: Self.urlSeconds).url)
            object["captions"] = .object(captions)
        }
        return .object(object)
    }

    private func user(of object: JSON) throws -> Int {
        guard let user = object["user"]?.intValue, user >= 1 else {
            throw FunctionError.invalid("user", "range", "user must be a whole number from 1")
        }
        return user
    }

    /// Whether a text can stand in a blob's key.
    private static func isID(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count) && !text.hasPrefix(".")
            && text.utf8.allSatisfy { byte in
                (97...122).contains(byte | 32) || (48...57).contains(byte) || [45, 46, 95].contains(byte)
            }
    }
}
