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
        let members = node.members([
            "stream", "group", "operation", "batch", "window", "concurrency", "from", "filter", "keep",
        ])
        guard let stream = (members["stream"] ?? node.missing("stream", "events:order.placed"))?.string()
        else { return nil }
        return Manifest.Stream(
            stream: stream,
            group: members["group"]?.string() ?? function,
            operation: members["operation"]?.string() ?? "",
            batch: members["batch"]?.integer(1...1000) ?? 1,
            window: members["window"]?.duration(.zero ... .seconds(300)) ?? .zero,
            concurrency: members["concurrency"]?.integer(1...256) ?? 1,
            from: members["from"].flatMap(readStart) ?? .beginning,
            filter: members["filter"]?.entries.compactMap(readFilter) ?? [],
            keep: members["keep"]?.duration(.zero ... .seconds(366 * 86_400)),
            line: node.line
        )
    }

    private static func readStart(_ node: SettingsNode) -> Manifest.Stream.Start? {
        guard let text = node.string() else { return nil }
        if text == "beginning" { return .beginning }
        if text == "new" { return .new }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        if parts.count == 2, parts.allSatisfy({ UInt64($0) != nil }) { return .after(text) }
        node.wrong(
            "`\(text)` is no place in a stream",
            hint: "beginning, new, or the id of the entry behind which to begin, such as 1763690400000-0"
        )
        return nil
    }

    private static func readFilter(_ name: String, _ node: SettingsNode) -> Manifest.FieldFilter? {
        let patterns = node.isScalar ? [node.string()] : node.list.map { $0.string() }
        guard !patterns.isEmpty else {
            node.wrong("no value would pass", hint: "write one, such as paid or order.*, or a list of them")
            return nil
        }
        return Manifest.FieldFilter(name, patterns.compactMap { $0 })
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
