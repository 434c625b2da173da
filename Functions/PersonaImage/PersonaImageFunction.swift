import FunctionCore

/// Keeps one persona a name, each with its picture: made at the first request, found at every later one.
///
/// Of many requests for one new name at once, one makes the picture and the others get what it made.
public struct PersonaImageFunction: AsyncFunction {
    /// Nothing is kept between events.
    public init() {}

    /// `create` answers 201 with a new persona, 200 with one that was there; `get` answers 200 or 404.
    public func handle(_ event: Event, _ context: Context) async throws -> Reply {
        let object = try event.object()
        // A path's `{name}` that looks like a number is still a name.
        let name = event.request?.parameters["name"] ?? event.request?.query["name"]
        let operation =
            event.operation.isEmpty ? object["operation"]?.stringValue ?? "create" : event.operation
        let studio = PersonaStudio(context: context)
        switch operation {
        case "create":
            return try await create(PersonaRequest(object), in: studio)
        case "get":
            let name = try PersonaRequest.name(name.map { .string($0) } ?? object["name"])
            guard let persona = try await studio.find(name) else {
                throw FunctionError.notFound(
                    "there is no persona of that name; make it with POST /v1/personas"
                )
            }
            return .json(try await studio.view(persona))
        default:
            throw FunctionError.badRequest("unknown_operation", "operation must be create or get")
        }
    }

    private func create(_ request: PersonaRequest, in studio: PersonaStudio) async throws -> Reply {
        guard let existing = try await studio.claim(request.name) else {
            let (persona, isNew) = try await studio.make(request)
            return try await reply(persona, status: isNew ? 201 : 200, in: studio)
        }
        switch request.ifExists {
        case .existing:
            return try await reply(existing.persona, status: 200, in: studio)
        case .update:
            return try await reply(try await studio.update(existing, request), status: 200, in: studio)
        case .error:
            throw FunctionError.conflict(
                "persona_exists",
                "there is a persona of that name; leave if_exists out to get it, or set it to update"
            )
        }
    }

    private func reply(_ persona: Persona, status: Int, in studio: PersonaStudio) async throws -> Reply {
        let location = Header("location", "/v1/personas/\(PersonaName.pathSegment(persona.name))")
        return .json(try await studio.view(persona), status: status, headers: [location])
    }
}
