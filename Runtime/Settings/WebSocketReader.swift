import FunctionCore
import Invocations

extension ManifestReader {
    /// Reads an entry of `triggers.websocket`.
    static func readWebSocket(_ node: SettingsNode) -> Manifest.WebSocket? {
        let members = node.members([
            "path", "operation", "subprotocols", "origins", "maxMessage", "maxRate", "idle", "maxConnections",
        ])
        guard let path = readPath(members["path"], node) else { return nil }
        var socket = Manifest.WebSocket(
            path: path,
            operation: members["operation"]?.string() ?? "",
            line: node.line
        )
        socket.subprotocols = members["subprotocols"]?.list.compactMap(readSubprotocol) ?? []
        socket.origins = members["origins"]?.list.compactMap(readOrigin) ?? []
        socket.maxMessage = members["maxMessage"]?.size(1...16 << 20) ?? socket.maxMessage
        socket.maxRate = members["maxRate"]?.integer(1...100_000) ?? socket.maxRate
        socket.idle = members["idle"]?.duration(.seconds(1) ... .seconds(24 * 3600)) ?? socket.idle
        socket.maxConnections = members["maxConnections"]?.integer(1...100_000) ?? socket.maxConnections
        return socket
    }

    private static func readSubprotocol(_ node: SettingsNode) -> String? {
        guard let name = node.string() else { return nil }
        guard isToken(name) else {
            node.wrong("`\(name)` is no subprotocol", hint: "a token such as chat.v2")
            return nil
        }
        return name
    }

    private static func readOrigin(_ node: SettingsNode) -> String? {
        guard let origin = node.string()?.lowercased() else { return nil }
        if origin == "*" { return origin }
        let host = ["http://", "https://"].first { origin.hasPrefix($0) }.map { origin.dropFirst($0.count) }
        guard let host, !host.isEmpty, !host.contains("/"), !host.contains("*") else {
            node.wrong(
                "`\(origin)` is no origin",
                hint: "scheme and host, such as https://app.example, or * for any"
            )
            return nil
        }
        return origin
    }
}
