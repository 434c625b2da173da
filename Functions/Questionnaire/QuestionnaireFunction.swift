import FunctionCore

/// Takes the answers to a questionnaire, checks all of them, and stores them in the user's shard; in the same
/// transaction it says `questionnaire.submitted`.
///
/// Operations: `submit` (the default), `list`, `get`, `definition`, `definitions`.
public struct QuestionnaireFunction: AsyncFunction {
    private static let collection = "answers"
    private let library: DefinitionLibrary

    /// Reads the definitions.
    /// - Throws: an error that names the definition, the question and the rule it breaks.
    public init() throws {
        library = try DefinitionLibrary(shippedDefinitions)
    }

    /// Answers one event.
    public func handle(_ event: Event, _ context: Context) async throws -> Reply {
        let object = try event.object()
        let named = object["operation"]?.stringValue ?? "submit"
        let operation = event.operation.isEmpty ? named : event.operation
        switch operation {
        case "submit": return try await submit(object, context)
        case "list": return try await list(object, context)
        case "get": return try await get(object, context)
        case "definition": return .json(try definition(of: object).source)
        case "definitions": return .json(library.index)
        default:
            throw FunctionError.invalid(
                "operation",
                "known",
                "operation is none of submit, list, get, definition, definitions"
            )
        }
    }

    private func submit(_ object: JSON, _ context: Context) async throws -> Reply {
        let definition = try definition(of: object)
        var check = AnswerCheck(today: String(context.now.rfc3339.prefix(10)))
        let user = check.user(object["user"])
        var kept = JSONObject()
        if let answers = object["answers"]?.objectValue {
            kept = check.keep(answers, of: definition.questions, at: "answers")
        } else {
            let example = definition.questions.questions.first?.id ?? "question"
            let message = "answers must be an object of answers by question, such as {\"\(example)\": …}"
            check.report(Fault("answers", object["answers"] == nil ? "required" : "type", message))
        }
        guard let user, check.faults.isEmpty else { throw FunctionError.invalid(check.faults) }

        // The invocation's id stays over all attempts, so a repeated attempt meets the row of the first.
        let id = "\(definition.name)-\(context.invocation)"
        let record: JSON = [
            "id": .string(id),
            "user": .integer(Int64(user)),
            "definition": .string(definition.name),
            "version": .integer(Int64(definition.version)),
            "answers": .object(kept),
            "dropped": .array(check.dropped.map { .string($0) }),
            "private": .array(definition.questions.privateIDs.map { .string($0) }),
            "submitted": .string(context.now.rfc3339),
        ]
        let result = try await context.bindings.users.write(
            user,
            [
                .create(collection: Self.collection, id: id, value: record),
                .emit(
                    OutgoingEvent(
                        type: "questionnaire.submitted",
                        data: Self.told(record, without: definition.questions.privateIDs),
                        id: "submitted-\(id)"
                    )
                ),
            ]
        )
        let stored = result.records.first?.value ?? record
        context.log.info(
            "answers stored",
            ["definition": definition.label, "answers": "\(kept.count)", "dropped": "\(check.dropped.count)"]
        )
        let path = "/v1/users/\(user)/questionnaires/\(definition.name)/answers/\(id)"
        return .json(stored, status: 201, headers: [Header("location", path)])
    }

    /// The record as others hear of it: private answers stay in the user's shard.
    private static func told(_ record: JSON, without hidden: [String]) -> JSON {
        guard var object = record.objectValue, var answers = object["answers"]?.objectValue else {
            return record
        }
        for name in hidden { answers.removeValue(forKey: name) }
        object["answers"] = .object(answers)
        return .object(object)
    }

    private func list(_ object: JSON, _ context: Context) async throws -> Reply {
        let definition = try definition(of: object)
        let user = try user(of: object)
        let limit = object["limit"] == nil ? 100 : object["limit"]?.intValue ?? 0
        guard (1...1000).contains(limit) else {
            throw FunctionError.invalid("limit", "range", "limit must be a whole number from 1 to 1000")
        }
        // The collection holds all questionnaires of the user; 1000 is the most that one call gives.
        let records = try await context.bindings.users.list(user, Self.collection, limit: 1000)
        let answers = records.map(\.value).filter { $0["definition"]?.stringValue == definition.name }
        return .json([
            "user": .integer(Int64(user)),
            "definition": .string(definition.name),
            "count": .integer(Int64(min(answers.count, limit))),
            "answers": .array(Array(answers.prefix(limit))),
        ])
    }

    private func get(_ object: JSON, _ context: Context) async throws -> Reply {
        let definition = try definition(of: object)
        let user = try user(of: object)
        let id = object["id"].flatMap { $0.stringValue ?? $0.intValue.map { String($0) } } ?? ""
        guard let record = try await context.bindings.users.get(user, Self.collection, id),
            record.value["definition"]?.stringValue == definition.name
        else {
            throw FunctionError.notFound("user \(user) has no answers \"\(id)\" to \(definition.name)")
        }
        return .json(record.value)
    }

    private func definition(of object: JSON) throws -> Definition {
        guard let name = object["definition"]?.stringValue, !name.isEmpty else {
            let known = library.names.joined(separator: ", ")
            throw FunctionError.invalid(
                "definition",
                "required",
                "definition must name a questionnaire: \(known)"
            )
        }
        guard let version = object["version"] else { return try library.latest(name) }
        guard let number = version.intValue else {
            throw FunctionError.invalid(
                "version",
                "type",
                "version must be a whole number; leave it out for the latest"
            )
        }
        return try library.find(name, version: number)
    }

    private func user(of object: JSON) throws -> Int {
        var check = AnswerCheck(today: "")
        guard let user = check.user(object["user"]) else { throw FunctionError.invalid(check.faults) }
        return user
    }
}
