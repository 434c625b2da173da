import FunctionCore
import Invocations

extension ManifestReader {
    /// Reads `schemas`: by operation, the files that describe its request and its replies.
    static func readContracts(_ node: SettingsNode, _ manifest: inout Manifest) {
        var known = Set(
            manifest.routes.map(\.operation) + manifest.streams.map(\.operation)
                + manifest.lists.map(\.operation) + manifest.channels.map(\.operation)
                + manifest.webSockets.map(\.operation)
        )
        known.remove("")
        for (operation, entry) in node.entries {
            guard known.contains(operation) else {
                let near = nearest(operation, known.sorted()).map { "did you mean \($0)?" }
                entry.wrong(
                    "no trigger names the operation `\(operation)`",
                    hint: near ?? "there are \(known.sorted().joined(separator: ", "))"
                )
                continue
            }
            let members = entry.members(["request", "responses", "errors", "events"])
            var contract = Manifest.Contract(line: entry.line)
            contract.request = members["request"].flatMap(readSchemaPath)
            for (status, file) in members["responses"]?.entries ?? [] {
                guard let number = Int(status), (200...399).contains(number) else {
                    file.wrong("`\(status)` is no status of a reply", hint: "write such as 200 or 201")
                    continue
                }
                contract.responses[number] = readSchemaPath(file)
            }
            contract.errors = members["errors"]?.list.compactMap { $0.integer(400...599) } ?? []
            contract.events = members["events"]?.flag() ?? false
            manifest.contracts[operation] = contract
        }
    }

    /// A path below the manifest's folder.
    private static func readSchemaPath(_ node: SettingsNode) -> String? {
        guard let path = node.string() else { return nil }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { ["", ".", ".."].contains($0) }) else {
            node.wrong(
                "`\(path)` does not lie below the manifest's folder",
                hint: "write such as schemas/request.json"
            )
            return nil
        }
        return path
    }
}
