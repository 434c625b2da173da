import FunctionCore

/// The model that decides: what `learning` published last, or the initial rule.
struct Champion: Sendable {
    var id: String
    var rule: CrossRule

    static let initial = Champion(id: "initial", rule: .initial)

    /// Reads the current model.
    ///
    /// One that cannot be read is no reason to stop: the initial rule decides, and a log line says so.
    static func current(_ context: Context) async throws -> Champion {
        guard let text = try await context.bindings.state.get("model:champion") else { return .initial }
        guard let json = try? JSON.parse(Bytes(text)), json["kind"]?.stringValue == "ma-cross",
            let id = json["id"]?.stringValue, let parameters = json["rule"],
            let rule = try? JSONCoder.decode(CrossRule.self, from: parameters), rule.isValid
        else {
            context.log.warning(
                "model:champion holds no model that this bundle can read; the initial rule decides"
            )
            return .initial
        }
        return Champion(id: id, rule: rule)
    }
}
