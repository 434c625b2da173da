import FunctionCore
import Invocations

/// Reads a member of `triggers.redis`: a stream, a list, or a channel.
enum RedisTriggerReader {
    private static let kinds = ["stream", "list", "channel"]

    static func read(_ node: SettingsNode, into manifest: inout Manifest) {
        let named = node.entries.map(\.key).filter(kinds.contains)
        guard named.count < 2 else {
            let names = named.map { "`\($0)`" }.joined(separator: " and ")
            return node.wrong("\(names) stand together", hint: "give each a member of its own")
        }
        switch named.first {
        case "list": if let list = readList(node) { manifest.lists.append(list) }
        case "channel": if let channel = readChannel(node) { manifest.channels.append(channel) }
        default: if let stream = readStream(node, manifest.name) { manifest.streams.append(stream) }
        }
    }

    private static func readStream(_ node: SettingsNode, _ function: String) -> Manifest.Stream? {
        let members = node.members(["stream", "group", "operation", "batch", "concurrency"])
        guard let stream = (members["stream"] ?? node.missing("stream", "events:order.placed"))?.string()
        else { return nil }
        return Manifest.Stream(
            stream: stream,
            group: members["group"]?.string() ?? function,
            operation: members["operation"]?.string() ?? "",
            batch: members["batch"]?.integer(1...100) ?? 1,
            concurrency: members["concurrency"]?.integer(1...64) ?? 1,
            line: node.line
        )
    }

    private static func readList(_ node: SettingsNode) -> Manifest.List? {
        let members = node.members(["list", "operation", "take", "batch", "concurrency"])
        guard let list = members["list"]?.string() else { return nil }
        return Manifest.List(
            list: list,
            operation: members["operation"]?.string() ?? "",
            fromLeft: members["take"]?.word(["left", "right"]) == "left",
            batch: members["batch"]?.integer(1...100) ?? 1,
            concurrency: members["concurrency"]?.integer(1...64) ?? 1,
            line: node.line
        )
    }

    private static func readChannel(_ node: SettingsNode) -> Manifest.Channel? {
        let members = node.members(["channel", "operation", "batch", "concurrency", "buffer"])
        guard let channel = members["channel"]?.string() else { return nil }
        return Manifest.Channel(
            channel: channel,
            operation: members["operation"]?.string() ?? "",
            batch: members["batch"]?.integer(1...100) ?? 1,
            concurrency: members["concurrency"]?.integer(1...64) ?? 1,
            buffer: members["buffer"]?.integer(1...100_000) ?? 1000,
            line: node.line
        )
    }
}
