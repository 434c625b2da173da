import FunctionCore
import Invocations

/// One route of a function as an operation of the document.
struct FunctionOperation {
    private let manifest: Manifest
    private let route: Manifest.Route
    private let components: SchemaComponents
    private let contract: Manifest.Contract?
    private let id: String

    init(_ manifest: Manifest, _ route: Manifest.Route, _ index: Int, _ components: SchemaComponents) {
        self.manifest = manifest
        self.route = route
        self.components = components
        contract = manifest.contracts[route.operation]
        let isAlone = manifest.routes.filter { $0.operation == route.operation }.count == 1
        let name = route.operation.isEmpty ? "run" : route.operation
        id = isAlone ? "\(manifest.name).\(name)" : "\(manifest.name).\(name).\(index + 1)"
    }

    private var takesBody: Bool { ["POST", "PUT", "PATCH"].contains(route.method) }
    /// What the operation works on.
    private var request: JSONObject? {
        guard let file = contract?.request else { return nil }
        return components.schema(file).objectValue
    }

    var json: JSON {
        let request = self.request
        var object: JSONObject = [
            "operationId": .string(id), "tags": [.string(manifest.name)],
            "summary": .string(request?["title"]?.stringValue ?? manifest.summary),
        ]
        if let text = request?["description"] { object["description"] = text }
        object["parameters"] = .array(parameters(request))
        if takesBody { object["requestBody"] = body(request) }
        object["responses"] = .object(responses)
        return .object(object)
    }

    // MARK: The request

    private func parameters(_ request: JSONObject?) -> [JSON] {
        let properties = request?["properties"]?.objectValue ?? JSONObject()
        let names = PathTable.names(in: route.path)
        var list = names.map { PathTable.parameter($0, properties[$0] ?? ["type": "string"]) }
        if !takesBody {
            let required = request?["required"]?.arrayValue ?? []
            for name in properties.keys where !names.contains(name) {
                guard let schema = properties[name] else { continue }
                guard case .object(var parameter) = PathTable.parameter(name, in: "query", schema) else {
                    continue
                }
                if required.contains(.string(name)) { parameter["required"] = true }
                list.append(.object(parameter))
            }
        }
        if route.async {
            list += HostOperations.jobParameters
        } else {
            list.append(HostOperations.parameter("Prefer"))
        }
        // A key counts for a job in any case.
        return list + [HostOperations.parameter("Idempotency-Key")]
    }

    private func body(_ request: JSONObject?) -> JSON {
        guard let request, let file = contract?.request else {
            return ["content": ["application/json": ["schema": ["type": "object"]], "*/*": [:]]]
        }
        let names = Set(PathTable.names(in: route.path))
        let whole = request["properties"]?.objectValue ?? JSONObject()
        var schema = components.reference(to: file)
        var required = request["required"]?.arrayValue ?? []
        if whole.keys.contains(where: names.contains) {
            required = required.filter { !names.contains($0.stringValue ?? "") }
            var rest = request
            for name in ["title", "description", "$defs"] { rest.removeValue(forKey: name) }
            rest["properties"] = .object(FunctionOperation.without(names, whole))
            rest["required"] = .array(required)
            rest["examples"] = rest["examples"]?.arrayValue.map { examples in
                .array(
                    examples.map {
                        .object(FunctionOperation.without(names, $0.objectValue ?? JSONObject()))
                    }
                )
            }
            schema = .object(rest)
        }
        return [
            "required": .bool(!required.isEmpty), "content": ["application/json": ["schema": schema]],
        ]
    }

    private static func without(_ names: Set<String>, _ object: JSONObject) -> JSONObject {
        var object = object
        for name in names { object.removeValue(forKey: name) }
        return object
    }

    // MARK: The responses

    private var responses: JSONObject {
        var good: [(String, JSON)] = []
        if !route.async { good = replies }
        good.append(("202", HostOperations.accepted))
        return ErrorResponse.table(good, statuses)
    }

    private var replies: [(String, JSON)] {
        guard let contract, !contract.responses.isEmpty else {
            return [("2XX", ["description": "The function's reply.", "content": ["*/*": [:]]])]
        }
        return contract.responses.sorted { $0.key < $1.key }.map { status, file in
            let schema = components.schema(file)
            var content: JSONObject = ["application/json": ["schema": components.reference(to: file)]]
            if contract.events { content["text/event-stream"] = [:] }
            return (
                "\(status)",
                [
                    "description": .string(schema["title"]?.stringValue ?? "The function's reply."),
                    "headers": HostOperations.usualHeaders, "content": .object(content),
                ]
            )
        }
    }

    /// What the gateway refuses, what becomes of workers, and what the function says of itself.
    private var statuses: [Int] {
        var all: Set = [400, 408, 409, 413, 414, 415, 417, 422, 429, 431, 500, 502, 503, 504]
        all.formUnion(contract?.errors ?? [])
        if manifest.prices[route.operation] != nil { all.insert(402) }
        return all.sorted()
    }
}
