import FunctionCore

/// The admin port's routes as an OpenAPI 3.1 document.
///
/// It has all of them; those that `AdminRoutes` knows in detail.
package struct AdminDocument: Sendable {
    private let routes: [(method: String, pattern: String)]
    private let version: String
    private let url: String?

    package init(_ routes: [(method: String, pattern: String)], version: String, url: String? = nil) {
        self.routes = routes
        self.version = version
        self.url = url
    }

    package var json: JSON {
        var paths = PathTable()
        for (method, pattern) in routes {
            paths.add(method, pattern, AdminDocument.operation(method, pattern))
        }
        var document: JSONObject = [
            "openapi": "3.1.0",
            "info": [
                "title": "Swiftlet's admin port", "version": .string(version),
                "summary": "What operates a host, and the Invoke API of AWS Lambda.",
                "description": "The console's pages, below /console, are for people and not described here.",
            ],
        ]
        if let url { document["servers"] = [["url": .string(url)]] }
        document["security"] = [[:], ["token": []]]
        document["paths"] = paths.json
        document["components"] = [
            "schemas": [
                "Error": HostSchemas.error, "Job": HostSchemas.job, "LambdaError": AdminRoutes.lambdaError,
            ],
            "headers": HostOperations.headers, "responses": ErrorResponse.components,
            "securitySchemes": [
                "token": [
                    "type": "http", "scheme": "bearer", "description": "`admin.token`, where there is one.",
                ]
            ],
        ]
        return .object(document)
    }

    private static func operation(_ method: String, _ pattern: String) -> JSON {
        let route = AdminRoutes.all["\(method) \(pattern)"] ?? AdminRoutes.Route("")
        var object: JSONObject = ["operationId": .string(identifier(method, pattern))]
        if !route.summary.isEmpty { object["summary"] = .string(route.summary) }
        let names = PathTable.names(in: pattern)
        object["parameters"] = .array(
            names.map { PathTable.parameter($0, ["type": "string"]) }
                + route.query.map { PathTable.parameter($0.0, in: "query", $0.1) }
                + route.headers.map { PathTable.parameter($0.0, in: "header", $0.1) }
        )
        if let body = route.body {
            object["requestBody"] = ["content": ["application/json": ["schema": body]]]
        }
        let good = route.good.map { status, type, schema -> (String, JSON) in
            var response: JSONObject = ["description": "Done."]
            if let type { response["content"] = [type: schema.map { ["schema": $0] } ?? [:]] }
            return (status, .object(response))
        }
        object["responses"] = .object(
            route.isLambda ? AdminRoutes.lambda(good) : ErrorResponse.table(good, AdminRoutes.errors)
        )
        return .object(object)
    }

    /// The routes that are known in detail, each `METHOD /pattern`.
    package static var described: Set<String> { Set(AdminRoutes.all.keys) }

    /// Such as `get.v1.functions.name.trace`.
    private static func identifier(_ method: String, _ pattern: String) -> String {
        let words = pattern.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "-" && $0 != "_" })
        // Paths that end in a slash are operations of their own.
        let end = pattern.count > 1 && pattern.hasSuffix("/") ? ["all"] : []
        return ([method.lowercased()] + words.map(String.init) + end).joined(separator: ".")
    }
}
