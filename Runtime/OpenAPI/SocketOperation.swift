import FunctionCore
import Invocations

/// A WebSocket path of a function, as far as OpenAPI has words for it: up to the 101.
struct SocketOperation {
    private let manifest: Manifest
    private let socket: Manifest.WebSocket
    private let id: String

    init(_ manifest: Manifest, _ socket: Manifest.WebSocket, _ index: Int) {
        self.manifest = manifest
        self.socket = socket
        id = "\(manifest.name).connect" + (manifest.webSockets.count == 1 ? "" : ".\(index + 1)")
    }

    var json: JSON {
        [
            "operationId": .string(id), "tags": [.string(manifest.name)],
            "summary": .string("A WebSocket of \(manifest.name)"), "description": .string(text),
            "parameters": .array(
                PathTable.names(in: socket.path).map { PathTable.parameter($0, ["type": "string"]) }
            ),
            "responses": .object(
                ErrorResponse.table(
                    [
                        ("101", ["description": "The connection is a WebSocket from now on."]),
                        (
                            "4XX",
                            ["description": "The function refuses the client.", "content": ["*/*": [:]]]
                        ),
                    ],
                    [400, 403, 408, 413, 414, 417, 426, 429, 431, 500, 502, 503, 504]
                )
            ),
        ]
    }

    private var text: String {
        var text = "Each message is an event of the function, at most \(socket.maxMessage) bytes long and "
        text += "\(socket.maxRate) in a second; what it replies is a message."
        if !socket.subprotocols.isEmpty {
            text += " Subprotocols: \(socket.subprotocols.joined(separator: ", "))."
        }
        return text
    }
}
