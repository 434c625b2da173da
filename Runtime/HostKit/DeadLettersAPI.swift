import FunctionCore
import HTTPTrigger
import RedisTrigger

/// The admin API's part on the dead letters of streams and lists.
///
/// The key is in the query, as names of streams may hold any character.
struct DeadLettersAPI {
    let redis: RedisClient

    var routes: [EndpointRoute] {
        [
            EndpointRoute("GET", "/v1/dead-letters") { await self.list($0) },
            EndpointRoute("POST", "/v1/dead-letters/redrive") { request in
                await self.change(request, "redriven") { try await $0.redrive($1) }
            },
            EndpointRoute("POST", "/v1/dead-letters/purge") { request in
                await self.change(request, "purged") { try await $0.purge($1) }
            },
        ]
    }

    private func list(_ request: EndpointRequest) async -> EndpointResponse {
        await answer(request) { letters in
            let limit = min(max(request.query["limit"].flatMap { Int($0) } ?? 100, 1), 1000)
            let after = request.query["after"] ?? "-"
            if after != "-" { try check("after", after) }
            let found = try await letters.list(after: after, limit: limit)
            return [
                "count": .integer(Int64(try await letters.count())), "letters": .array(found.map(\.letter)),
            ]
        }
    }

    /// `id`, as often as wanted separated by commas, or `all`, of a `code` where it is named.
    private func change(
        _ request: EndpointRequest,
        _ done: String,
        _ change: @Sendable (DeadLetters, [String]) async throws -> Int
    ) async -> EndpointResponse {
        await answer(request) { letters in
            var ids = (request.query["id"] ?? "").split(separator: ",").map { String($0) }
            for id in ids { try check("id", id) }
            if request.query["all"] == "1" { ids = try await letters.ids(code: request.query["code"]) }
            return .object([done: .integer(Int64(try await change(letters, ids)))])
        }
    }

    /// Refuses what is no entry's id.
    private func check(_ name: String, _ id: String) throws(FunctionError) {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ UInt64($0) != nil && !$0.hasPrefix("+") }) else {
            throw .invalid(name, "form", "`\(name)` must be an entry's id, such as 1795289662082-0")
        }
    }

    private func answer(
        _ request: EndpointRequest,
        _ body: (DeadLetters) async throws -> JSON
    ) async -> EndpointResponse {
        guard let key = request.query["key"], !key.isEmpty else {
            return .failure(.invalid("key", "required", "`key` must be the stream's or the list's name"))
        }
        do {
            return .json(try await body(DeadLetters(of: key, client: redis)))
        } catch let error as FunctionError {
            return .failure(error)
        } catch {
            let message = "Redis did not do it: \(error)"
            return .failure(FunctionError(status: 503, code: "redis_unavailable", message: message))
        }
    }
}

extension StreamEntry {
    fileprivate var letter: JSON {
        let pairs = (fields ?? []).map { ($0.name.text, JSON.string($0.value.text)) }
        return ["id": .string(id), "fields": .object(JSONObject(pairs))]
    }
}
