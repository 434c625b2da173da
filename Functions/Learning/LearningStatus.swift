import FunctionCore

/// The report of the last run, as fields of the hash `learning:status`, so that it can be read with any Redis
/// client.
enum LearningStatus {
    private static let key = "learning:status"
    /// Every field that a report may have.
    ///
    /// A field that the last run did not set is emptied, so that no run shows another's numbers.
    private static let fields = [
        "status", "last_run", "window", "fencing_token", "cutoff", "bars", "min_bars", "candidates",
        "champion", "rule",
        "train", "test", "champion_test", "objections", "model",
    ]
    private static let texts: Set<String> = ["status", "last_run", "window", "cutoff", "champion", "model"]

    static func write(_ report: JSONObject, _ context: Context) async throws {
        var values: [String: String] = [:]
        for name in fields {
            guard let value = report[name], !value.isNull else {
                values[name] = ""
                continue
            }
            values[name] = value.stringValue ?? value.text
        }
        try await context.bindings.state.setFields(key, values)
    }

    static func read(_ context: Context) async throws -> JSON {
        let values = try await context.bindings.state.fields(key)
        guard !values.isEmpty else { return ["status": "never_run"] }
        var object = JSONObject()
        for name in fields {
            guard let text = values[name], !text.isEmpty else { continue }
            object[name] =
                texts.contains(name) ? .string(text) : (try? JSON.parse(Bytes(text))) ?? .string(text)
        }
        return .object(object)
    }
}
