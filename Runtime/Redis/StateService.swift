import FunctionCore
import Invocations

/// The binding `state`: small values that functions share, under the keys `state:<key>`.
///
/// While Redis is away, or will not write, every call fails with 503 `redis_unavailable` and may be tried
/// again after a second. `increment` and `append` may have been done all the same when the connection breaks
/// under them.
package struct StateService: BindingService {
    package let binding = "state"
    private let client: RedisClient

    /// In bytes; keys are shown to operators.
    static let maximumKey = 512
    /// In bytes; documents belong to user data, media to blobs.
    static let maximumValue = 1024 * 1024
    /// Members of a list that are read or kept.
    static let maximumCount = 10_000

    /// Compare and set.
    ///
    /// A stored empty string counts as nothing, as the call cannot tell the two apart.
    private static let replaceScript: Bytes = """
        if (redis.call('GET', KEYS[1]) or '') == ARGV[1] then
            redis.call('SET', KEYS[1], ARGV[2])
            return 1
        end
        return 0
        """

    package init(client: RedisClient) {
        self.client = client
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        let query: StateQuery = try call.decode()
        guard !query.key.isEmpty, query.key.utf8.count <= StateService.maximumKey else {
            throw FunctionError.invalid("key", "length", "a key has 1 to \(StateService.maximumKey) bytes")
        }
        do {
            let key = Bytes("state:" + query.key)
            if let value = try await run(call, query, key) { try answer.send(value.bytes()) }
        } catch let error as RedisError {
            throw StateService.functionError(error)
        }
    }

    private func run(_ call: BindingCall, _ query: StateQuery, _ key: Bytes) async throws -> JSON? {
        switch call.method {
        case "get":
            return try await client.send(["GET", key]).text.map { .string($0) } ?? .null
        case "set":
            _ = try await client.send(["SET", key, value(of: query)])
            return nil
        case "replace":
            let expected = Bytes(query.expected ?? "")
            let command = try ["EVAL", StateService.replaceScript, "1", key, expected, value(of: query)]
            return .bool(try await client.send(command).int == 1)
        case "delete":
            _ = try await client.send(["DEL", key])
            return nil
        case "increment":
            let count = Bytes(String(query.count ?? 1))
            return .integer(Int64(try await client.send(["INCRBY", key, count]).int ?? 0))
        case "fields":
            return fields(of: try await client.send(["HGETALL", key]))
        case "set-fields":
            let fields = try StateService.checked(query.fields)
            if !fields.isEmpty { _ = try await client.send(["HSET", key] + fields) }
            return nil
        case "append":
            let keep = try count(of: query, from: 1)
            let push: [Bytes] = ["RPUSH", key, try value(of: query)]
            let results = try await client.transaction([push, ["LTRIM", key, Bytes("-\(keep)"), "-1"]])
            if case .error(let text)? = results.first(where: \.isError) { throw RedisError(refusal: text) }
            return nil
        case "last":
            let count = try count(of: query, from: 0)
            guard count > 0 else { return .array([]) }
            let members = try await client.send(["LRANGE", key, Bytes("-\(count)"), "-1"]).array ?? []
            return .array(members.map { .string($0.text ?? "") })
        default:
            throw call.unknownMethod(of: binding)
        }
    }

    private func fields(of reply: RedisValue) -> JSON {
        let parts = reply.array ?? []
        var object = JSONObject()
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            object[parts[index].text ?? ""] = .string(parts[index + 1].text ?? "")
        }
        return .object(object)
    }

    private func value(of query: StateQuery) throws(FunctionError) -> Bytes {
        guard let value = query.value else { throw .invalid("value", "required", "a value is required") }
        return try StateService.checked(value)
    }

    private func count(of query: StateQuery, from least: Int) throws(FunctionError) -> Int {
        guard let count = query.count, least...StateService.maximumCount ~= count else {
            let rule = "a count from \(least) to \(StateService.maximumCount) is required"
            throw .invalid("count", "range", rule)
        }
        return count
    }

    private static func checked(_ value: String) throws(FunctionError) -> Bytes {
        guard value.utf8.count <= maximumValue else {
            throw .invalid(
                "value",
                "length",
                "a value has at most \(maximumValue) bytes; store more as a blob"
            )
        }
        return Bytes(value)
    }

    private static func checked(_ fields: [String: String]?) throws(FunctionError) -> [Bytes] {
        guard let fields, fields.count <= maximumCount else {
            throw .invalid("fields", "required", "fields are required, \(maximumCount) at most")
        }
        var arguments: [Bytes] = []
        for (name, value) in fields { arguments += [Bytes(name), try checked(value)] }
        return arguments
    }

    /// What the function sees of a Redis error.
    static func functionError(_ error: RedisError) -> FunctionError {
        switch error.kind {
        case "WRONGTYPE":
            .conflict("wrong_type", "the key holds another kind of value; use another key or delete it")
        case "ERR" where error.message.contains("integer") || error.message.contains("overflow"):
            .conflict("not_an_integer", "the key holds no integer that can be counted up; set it anew")
        default:
            FunctionError(
                status: 503,
                code: "redis_unavailable",
                message: "shared state is not available: \(error.message)",
                retry: .after(.seconds(1))
            )
        }
    }
}
