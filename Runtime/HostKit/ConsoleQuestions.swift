import FunctionCore
import HTTPTrigger

/// What the console asks of the admin API's own routes, as a program would.
extension ConsoleRoutes {
    /// Whether there is such a route on this host.
    private func route(_ method: String, _ pattern: String) -> EndpointRoute? {
        api.first { $0.method == method && $0.pattern == pattern }
    }

    private func ask(_ route: EndpointRoute, _ parameters: [String: String] = [:]) async throws -> JSON {
        let request = EndpointRequest(method: route.method, target: route.pattern, parameters: parameters)
        let response = await route.endpoint.respond(to: request)
        guard case .bytes(let bytes) = response.body, let answer = try? JSON.parse(bytes) else {
            return .null
        }
        if let error = answer["error"], response.status >= 400 {
            throw FunctionError(
                status: response.status,
                code: error["code"]?.stringValue ?? "refused",
                message: error["message"]?.stringValue ?? "the host refused it"
            )
        }
        return answer
    }

    // MARK: Replays

    private var replaying: EndpointRoute? { route("POST", "/v1/recordings/{id}/replay") }

    var mayReplay: Bool { replaying != nil }

    var replayRoutes: [EndpointRoute] {
        guard let replaying else { return [] }
        return [
            form("/console/replay/{id}") { request in
                let answer = try await self.ask(replaying, request.parameters)
                let isSame = answer["same"]?.intValue == answer["times"]?.intValue
                let id = answer["runs"]?[0]?["invocation"]?.stringValue ?? request.parameters["id"] ?? ""
                return "/console/invocations/\(id)?done=\(isSame ? "replayed" : "differed")"
            }
        ]
    }
}
