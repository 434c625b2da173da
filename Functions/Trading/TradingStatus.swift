import FunctionCore

/// The report of the last step, as fields of the hash `trading:status`: each field a JSON value, so that it
/// can be read with any Redis client.
enum TradingStatus {
    private static let key = "trading:status"

    static func write(_ report: JSONObject, _ context: Context) async throws {
        var fields: [String: String] = [:]
        // Plain text stays plain, as `HGET` shows it to people.
        for (name, value) in report { fields[name] = value.stringValue ?? value.text }
        try await context.bindings.state.setFields(key, fields)
    }

    /// What stands with the broker at the end of a window; kept beside the last step's report.
    static func checkpoint(_ context: Context) async throws -> JSON {
        let account = try await context.bindings.broker.account()
        let positions = account.positions.sorted { $0.key < $1.key }.map { ($0.key, JSON.integer($0.value)) }
        let left: JSON = [
            "at": .string(context.now.rfc3339), "cash": .integer(account.cash),
            "equity": .integer(account.equity), "positions": .object(JSONObject(positions)),
        ]
        try await context.bindings.state.setFields(key, ["checkpoint": left.text])
        return left
    }

    static func read(_ context: Context) async throws -> JSON {
        let fields = try await context.bindings.state.fields(key)
        guard !fields.isEmpty else { return ["status": "never_run"] }
        var object: JSONObject = ["status": "ran"]
        for (name, text) in fields.sorted(by: { $0.key < $1.key }) {
            let isText = ["last_run", "nominal", "window", "model"].contains(name)
            let value = isText ? nil : try? JSON.parse(Bytes(text))
            object[name] = text == "null" ? .null : value ?? .string(text)
        }
        return .object(object)
    }
}
