import FunctionCore
import Invocations

/// The gateway's routes as an OpenAPI 3.1 document, made of the manifests and the schemas that they name.
package struct GatewayDocument: Sendable {
    private let manifests: [Manifest]
    private let version: String
    private let url: String?

    /// `url` is the gateway's own, where it is known.
    package init(_ manifests: [Manifest], version: String, url: String? = nil) {
        self.manifests = manifests.sorted { $0.name < $1.name }
        self.version = version
        self.url = url
    }

    package var json: JSON {
        var paths = PathTable()
        var schemas = HostSchemas.gateway
        for manifest in manifests {
            let components = SchemaComponents(manifest: manifest)
            for (name, schema) in components.all { schemas[name] = schema }
            for (index, route) in manifest.routes.enumerated() {
                let operation = FunctionOperation(manifest, route, index, components)
                paths.add(route.method, route.path, operation.json)
            }
            for (index, socket) in manifest.webSockets.enumerated() {
                paths.add("GET", socket.path, SocketOperation(manifest, socket, index).json)
            }
            for folder in manifest.folders {
                paths.add("GET", "\(folder.path == "/" ? "" : folder.path)/{file}", Self.folder(manifest))
            }
        }
        for (method, path, operation) in HostOperations.gateway { paths.add(method, path, operation) }
        var document: JSONObject = [
            "openapi": "3.1.0",
            "info": [
                "title": "Swiftlet's gateway", "version": .string(version),
                "summary": "The functions behind it, and what it answers itself.",
                "description": "It asks for no credentials itself: a proxy in front of it says who asks.",
            ],
        ]
        if let url { document["servers"] = [["url": .string(url)]] }
        document["tags"] = .array(
            manifests.filter { !$0.routes.isEmpty || !$0.webSockets.isEmpty }.map {
                ["name": .string($0.name), "description": .string($0.summary)]
            } + [["name": "host", "description": "What the gateway answers itself."]]
        )
        document["paths"] = paths.json
        document["components"] = [
            "schemas": .object(schemas), "parameters": HostOperations.parameters,
            "headers": HostOperations.headers, "responses": ErrorResponse.components,
        ]
        return .object(document)
    }

    private static func folder(_ manifest: Manifest) -> JSON {
        [
            "tags": [.string(manifest.name)], "summary": "A file of the folder; its path may have slashes.",
            "parameters": [PathTable.parameter("file", ["type": "string"])],
            "responses": .object(
                ErrorResponse.table(
                    [("200", ["description": "The file.", "content": ["*/*": [:]]])],
                    [400, 404, 408, 412, 414, 416, 417, 431, 503]
                )
            ),
        ]
    }
}

/// Operations by path and method, in the order in which the paths came.
struct PathTable {
    private var paths = JSONObject()

    /// Adds an operation; its path is a route's pattern.
    mutating func add(_ method: String, _ pattern: String, _ operation: JSON) {
        let path = pattern.split(separator: "*", omittingEmptySubsequences: false).joined()
        guard case .object(var methods) = paths[path] ?? .object(JSONObject()) else { return }
        methods[method.lowercased()] = operation
        paths[path] = .object(methods)
    }

    var json: JSON { .object(paths) }

    /// The names in braces of a pattern.
    static func names(in pattern: String) -> [String] {
        pattern.split(separator: "/").filter { $0.hasPrefix("{") }.map { segment in
            String(segment.dropFirst().prefix { $0 != "}" && $0 != "*" })
        }
    }

    static func parameter(_ name: String, in place: String = "path", _ schema: JSON) -> JSON {
        var object: JSONObject = ["name": .string(name), "in": .string(place)]
        if place == "path" { object["required"] = true }
        object["schema"] = schema
        return .object(object)
    }
}
