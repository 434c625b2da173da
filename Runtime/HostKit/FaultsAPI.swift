import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import WorkerPool

/// The admin API's part on failures that are asked for; of a development host alone.
struct FaultsAPI: Sendable {
    let host: HostState

    var routes: [EndpointRoute] {
        [
            EndpointRoute("GET", "/v1/faults") { _ in
                .json(["faults": .array(host.faults.list.map(\.json))])
            },
            EndpointRoute("POST", "/v1/faults") { request in
                await .answering(else: "the fault could not be brought about") { try await ask(request) }
            },
            EndpointRoute("DELETE", "/v1/faults") { _ in
                .json(["cleared": .integer(Int64(host.faults.clear()))])
            },
        ]
    }

    /// `{"provider": "429", "count": 2, "function": "script"}`, `{"worker": "kill", "function": "script"}`,
    /// `{"redis": "lose", "seconds": 10}`.
    private func ask(_ request: EndpointRequest) async throws -> EndpointResponse {
        guard host.clockMayBeSet else {
            let message = "this host is one of `serve`; faults are for `swiftlet dev`"
            throw FunctionError.conflict("faults_refused", message)
        }
        guard let body = try? JSON.parse(request.body) else {
            throw FunctionError.badRequest(
                "bad_json",
                "send one of provider, worker: kill, redis: lose, as JSON"
            )
        }
        let function = body["function"]?.stringValue
        if let function, host.manifests[function] == nil {
            let known = host.manifests.all.keys.sorted().joined(separator: ", ")
            throw FunctionError.notFound("there is no function \(function); there are \(known)")
        }
        if let word = body["provider"] {
            return try arm(word.stringValue ?? word.text, body, function)
        }
        if let word = body["worker"] {
            guard word == "kill" else { throw FaultsAPI.wrong("worker", word, "kill") }
            return try await kill(function)
        }
        if let word = body["redis"] {
            guard word == "lose" else { throw FaultsAPI.wrong("redis", word, "lose") }
            return try await loseRedis(body["seconds"]?.doubleValue ?? 10)
        }
        throw FunctionError.invalid("fault", "one_of", "send one of provider, worker: kill, redis: lose")
    }

    private static func wrong(_ member: String, _ word: JSON, _ known: String) -> FunctionError {
        .invalid(member, "one_of", "`\(member)` must be \(known), not \(word.stringValue ?? word.text)")
    }

    private func arm(_ word: String, _ body: JSON, _ function: String?) throws -> EndpointResponse {
        guard let fault = InjectedFault.Provider(rawValue: word) else {
            let known = InjectedFault.Provider.allCases.map(\.rawValue).joined(separator: ", ")
            throw FaultsAPI.wrong("provider", .string(word), "one of \(known)")
        }
        let count = body["count"]?.intValue ?? 1
        guard (1...1_000_000).contains(count) else {
            throw FunctionError.invalid("count", "range", "`count` must be a whole number from 1 to 1000000")
        }
        return .json(try host.faults.arm(fault, function: function, count: count).json, status: 201)
    }

    private func kill(_ function: String?) async throws -> EndpointResponse {
        guard let function else {
            throw FunctionError.invalid("function", "required", "`function` says whose worker is killed")
        }
        let pid = try await host.dispatcher.pools[function]?.killOne("killed on request").get()
        guard let pid else {
            throw FunctionError.conflict("no_worker", "\(function) has no worker at the moment")
        }
        host.faults.note("worker=kill", function, by: "command")
        return .json(["killed": .integer(Int64(pid))])
    }

    private func loseRedis(_ seconds: Double) async throws -> EndpointResponse {
        guard let server = host.embeddedRedis else {
            let message = "redis.url names a server of somebody's; only the host's own can be lost"
            throw FunctionError.conflict("not_our_redis", message)
        }
        guard (0.1...3600).contains(seconds) else {
            throw FunctionError.invalid(
                "seconds",
                "range",
                "`seconds` must be from 0.1 to 3600, not \(seconds)"
            )
        }
        guard server.lose(for: .milliseconds(Int64(seconds * 1000))) else {
            throw FunctionError.conflict("lost_already", "redis is lost already, and comes back by itself")
        }
        host.faults.note("redis=lose", nil, by: "command")
        return .json(["lost_seconds": .number(seconds)], status: 202)
    }
}
