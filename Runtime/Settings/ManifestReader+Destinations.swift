import Invocations

extension ManifestReader {
    /// Reads `onSuccess` and `onFailure`: one of function, stream and webhook.
    static func readDestination(_ node: SettingsNode) -> Manifest.Destination? {
        let members = node.members(["function", "operation", "stream", "webhook"])
        let kinds = ["function", "stream", "webhook"].filter { members[$0] != nil }
        guard kinds.count == 1, let kind = kinds.first, let text = members[kind]?.string() else {
            if kinds.count != 1 {
                node.wrong("one destination was expected", hint: "write function:, stream: or webhook:")
            }
            return nil
        }
        if let operation = members["operation"], kind != "function" {
            operation.wrong("`operation` goes with `function` alone", hint: "remove it")
        }
        switch kind {
        case "function": return .function(text, operation: members["operation"]?.string() ?? "")
        case "stream": return .stream(text)
        default:
            guard text.hasPrefix("https://") || text.hasPrefix("http://"), !text.contains("@") else {
                members[kind]?.wrong(
                    "a webhook is an http or https URL without credentials",
                    hint: "such as https://example.com/hooks/jobs; webhook.key signs what is sent"
                )
                return nil
            }
            return .webhook(text)
        }
    }
}
