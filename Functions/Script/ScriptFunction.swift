import FunctionCore

/// Writes a script of scenes from a user's answers, along a named plot structure and inside a length budget;
/// stores it, and in the same transaction says `script.generated`.
///
/// Operations: `generate` (the default), `list`, `get`, and `submitted` for the events of `questionnaire`.
public struct ScriptFunction: AsyncFunction {
    private static let collection = "scripts"

    /// Nothing to prepare.
    public init() throws {}

    /// Answers one event.
    public func handle(_ event: Event, _ context: Context) async throws -> Reply {
        if event.kind == .redis { return try await submitted(event, context) }
        let object = try event.object()
        let named = object["operation"]?.stringValue ?? "generate"
        switch event.operation.isEmpty ? named : event.operation {
        case "generate": return try await generate(object, context)
        case "list": return try await list(object, context)
        case "get": return try await get(object, context)
        default: throw FunctionError.invalid("operation", "known", "operation is none of generate, list, get")
        }
    }

    // MARK: - Writing

    private func generate(_ object: JSON, _ context: Context) async throws -> Reply {
        let request = try ScriptRequest(object)
        if request.dryRun { return try dryRun(request) }
        // The invocation's id stays over all attempts, so a repeated attempt meets the script of the first.
        let id = "script-\(context.invocation)"
        let script = try await script(request, id: id, context)
        return .json(
            script,
            status: 201,
            headers: [Header("location", "/v1/users/\(request.user)/scripts/\(id)")]
        )
    }

    /// Answers to the questionnaire `story` become a script; those to other questionnaires are not ours.
    ///
    /// The script's id comes from the answers', so that an entry that is delivered again finds what it made
    /// before.
    private func submitted(_ event: Event, _ context: Context) async throws -> Reply {
        let batch = try event.decode(RedisEvent.self)
        var last: JSON?
        for entry in batch.entries where entry.data["definition"]?.stringValue == "story" {
            let answers = entry.data["id"]?.stringValue ?? entry.id
            guard ScriptFunction.isID(answers) else {
                throw FunctionError.invalid(
                    "data.id",
                    "pattern",
                    "id must be made of letters, digits, `.`, `_` and `-`"
                )
            }
            var members: JSONObject = ["user": entry.data["user"] ?? .null]
            if entry.data["answers"]?.objectValue == nil { members["answers"] = .string(answers) }
            var request = try ScriptRequest(.object(members))
            if let given = entry.data["answers"]?.objectValue { request.source = .given(given) }
            last = try await script(
                request,
                id: "script-\(answers)",
                answers: answers,
                hidden: ScriptFunction.names(entry.data["private"]),
                context
            )
        }
        guard let last else { return Reply(status: 204) }
        return .json(last, status: 201)
    }

    /// Finds or makes the script `id`.
    private func script(
        _ request: ScriptRequest,
        id: String,
        answers: String? = nil,
        hidden: [String] = [],
        _ context: Context
    ) async throws -> JSON {
        let users = context.bindings.users
        if let made = try await users.get(request.user, Self.collection, id) {
            context.log.info("the script was already made", ["script": id])
            return made.value
        }
        let (source, facts) = try await material(request, hidden: hidden, context)
        var finished = try await finish(request, facts, id: id, context)
        finished.answers = answers ?? source
        let record = finished.json(now: context.now)
        let event: JSON = [
            "user": .integer(Int64(request.user)), "script": .string(id),
            "seconds": .number(finished.seconds),
        ]
        let result = try await users.write(
            request.user,
            [
                .create(collection: Self.collection, id: id, value: record),
                .emit(
                    OutgoingEvent(
                        type: "script.generated",
                        data: event,
                        id: "generated-\(request.user)-\(id)"
                    )
                ),
            ]
        )
        return result.records.first?.value ?? record
    }

    private func finish(
        _ request: ScriptRequest,
        _ facts: StoryFacts,
        id: String,
        _ context: Context
    ) async throws -> FinishedScript {
        if let text = request.verbatim {
            let verbatim = try VerbatimScript(text, for: request)
            return FinishedScript(
                id: id,
                request: request,
                draft: verbatim.draft,
                deciseconds: verbatim.deciseconds,
                facts: facts,
                model: "none",
                offline: true,
                calls: 0
            )
        }
        let plan = ScenePlan(request.structure, deciseconds: request.deciseconds, count: request.scenes)
        let writer = Screenwriter(text: context.bindings.text, log: context.log)
        let written = try await writer.write(request, plan, facts)
        return FinishedScript(
            id: id,
            request: request,
            draft: written.draft,
            deciseconds: plan.scenes.map(\.deciseconds),
            facts: facts,
            model: written.model,
            offline: written.offline,
            calls: written.calls
        )
    }

    /// The facts, and the id of the answers they come from.
    private func material(
        _ request: ScriptRequest,
        hidden: [String],
        _ context: Context
    ) async throws -> (String?, StoryFacts) {
        let users = context.bindings.users
        let record: UserRecord?
        switch request.source {
        case .given(let answers): return (nil, StoryFacts(answers, hidden: hidden))
        case .stored(let id):
            record = try await users.get(request.user, "answers", id)
            guard record != nil else {
                throw FunctionError.notFound("user \(request.user) has no answers \"\(id.prefix(120))\"")
            }
        case .newest:
            let all = try await users.list(request.user, "answers", limit: 100)
            record = all.first { $0.value["definition"]?.stringValue == "story" }
        }
        guard let record else {
            guard request.title != nil || request.verbatim != nil else {
                throw FunctionError.invalid(
                    "answers",
                    "required",
                    "answers must name stored answers, for user \(request.user) has none to the "
                        + "questionnaire story; or give a title or a text"
                )
            }
            return (nil, StoryFacts())
        }
        let names = ScriptFunction.names(record.value["private"])
        return (record.id, StoryFacts(record.value["answers"]?.objectValue ?? [:], hidden: names))
    }

    /// What would be done, without asking the model.
    private func dryRun(_ request: ScriptRequest) throws -> Reply {
        let plan = ScenePlan(request.structure, deciseconds: request.deciseconds, count: request.scenes)
        var scenes = plan.scenes.map { ($0.beat, $0.deciseconds, $0.words) }
        if let text = request.verbatim {
            let verbatim = try VerbatimScript(text, for: request)
            scenes = zip(verbatim.draft.scenes, verbatim.deciseconds).map { scene, length in
                (scene.beat, length, ScriptText.wordCount(scene.narration))
            }
        }
        let asked = request.verbatim == nil
        return .json([
            "structure": .string(request.structure.name),
            "seconds": .number(Double(scenes.map(\.1).reduce(0, +)) / 10),
            "words": .integer(Int64(scenes.map(\.2).reduce(0, +))),
            "scenes": .array(
                scenes.map { beat, length, words in
                    [
                        "beat": .string(beat), "seconds": .number(Double(length) / 10),
                        "words": .integer(Int64(words)),
                    ]
                }
            ),
            "calls": [
                "least": asked ? 1 : 0, "most": .integer(asked ? Int64(Screenwriter.mostCalls) : 0),
            ],
        ])
    }

    // MARK: - Reading

    private func list(_ object: JSON, _ context: Context) async throws -> Reply {
        let user = try user(of: object)
        let limit = object["limit"] == nil ? 100 : object["limit"]?.intValue ?? 0
        guard (1...1000).contains(limit) else {
            throw FunctionError.invalid("limit", "range", "limit must be a whole number from 1 to 1000")
        }
        let records = try await context.bindings.users.list(user, Self.collection, limit: limit)
        return .json([
            "user": .integer(Int64(user)),
            "count": .integer(Int64(records.count)),
            "scripts": .array(records.map(\.value)),
        ])
    }

    private func get(_ object: JSON, _ context: Context) async throws -> Reply {
        let user = try user(of: object)
        let id = object["id"].flatMap { $0.stringValue ?? $0.intValue.map { String($0) } } ?? ""
        guard let record = try await context.bindings.users.get(user, Self.collection, id) else {
            throw FunctionError.notFound("user \(user) has no script \"\(id.prefix(120))\"")
        }
        return .json(record.value)
    }

    private func user(of object: JSON) throws -> Int {
        guard let user = object["user"]?.intValue, user >= 1 else {
            throw FunctionError.invalid("user", "range", "user must be a whole number from 1")
        }
        return user
    }

    private static func names(_ json: JSON?) -> [String] {
        json?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    /// Whether a text can stand in an id, and so in a blob's key.
    private static func isID(_ text: String) -> Bool {
        (1...120).contains(text.utf8.count) && !text.hasPrefix(".")
            && text.utf8.allSatisfy { byte in
                (97...122).contains(byte | 32) || (48...57).contains(byte) || [45, 46, 95].contains(byte)
            }
    }
}
