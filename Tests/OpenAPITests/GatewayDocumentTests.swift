import FunctionCore
import Invocations
import OpenAPI
import Testing

@Suite("OpenAPI documents", .timeLimit(.minutes(1)))
struct GatewayDocumentTests {
    /// Notes of a user: written, listed, and written as a job.
    private var notes: Manifest {
        var manifest = Manifest(name: "notes")
        manifest.summary = "Keeps notes."
        manifest.routes = [
            .init(method: "POST", path: "/users/{user}/notes", operation: "write"),
            .init(method: "GET", path: "/users/{user}/notes", operation: "list"),
            .init(method: "POST", path: "/exports/{file*}", operation: "export", async: true),
        ]
        manifest.prices = ["export": 3]
        var write = Manifest.Contract()
        write.request = "schemas/write.json"
        write.responses = [201: "schemas/note.json"]
        write.errors = [404]
        var list = Manifest.Contract()
        list.request = "schemas/list.json"
        list.responses = [200: "schemas/notes.json"]
        list.events = true
        manifest.contracts = ["write": write, "list": list]
        manifest.schemas = [
            "schemas/write.json": [
                "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Write a note",
                "type": "object", "required": ["user", "text"],
                "properties": ["user": ["type": "integer"], "text": ["$ref": "#/$defs/text"]],
                "$defs": ["text": ["type": "string", "default": ["$ref": "data"]]],
                "examples": [["user": 7, "text": "a"]],
            ],
            "schemas/note.json": ["title": "A note", "type": "object"],
            "schemas/list.json": [
                "type": "object", "required": ["user"],
                "properties": ["user": ["type": "integer"], "limit": ["type": "integer"]],
            ],
            "schemas/notes.json": ["type": "array", "items": ["$ref": "note.json#/$defs/x"]],
        ]
        return manifest
    }

    private var document: JSON { GatewayDocument([notes], version: "1", url: "/").json }

    private func operation(_ path: String, _ method: String) -> JSON {
        document["paths"]?[path]?[method] ?? nil
    }

    @Test("of what an operation works on, the path's names are parameters and the rest is the body")
    func body() {
        let write = operation("/users/{user}/notes", "post")
        #expect(write["operationId"] == "notes.write" && write["summary"] == "Write a note")
        #expect(
            write["parameters"]?[0] == [
                "name": "user", "in": "path", "required": true, "schema": ["type": "integer"],
            ]
        )
        let body = write["requestBody"]
        #expect(body?["required"] == true)
        let schema = body?["content"]?["application/json"]?["schema"]
        #expect(schema?["required"] == ["text"] && schema?["examples"] == [["text": "a"]])
        let text: JSON = ["text": ["$ref": "#/components/schemas/notes.write/$defs/text"]]
        #expect(schema?["properties"] == text)
    }

    @Test("without a body the rest is the query")
    func query() {
        let list = operation("/users/{user}/notes", "get")
        #expect(list["requestBody"] == nil)
        #expect(list["parameters"]?[1] == ["name": "limit", "in": "query", "schema": ["type": "integer"]])
        let content = list["responses"]?["200"]?["content"]
        #expect(content?["application/json"]?["schema"] == ["$ref": "#/components/schemas/notes.notes"])
        #expect(content?["text/event-stream"] != nil)
    }

    @Test("references hold in the document, and data that looks like one stays")
    func references() {
        let schemas = document["components"]?["schemas"]
        #expect(schemas?["notes.notes"]?["items"] == ["$ref": "#/components/schemas/notes.note/$defs/x"])
        #expect(schemas?["notes.write"]?["$defs"]?["text"]?["default"] == ["$ref": "data"])
        #expect(schemas?["notes.write"]?["$schema"] == nil)
        #expect(
            SchemaReference.files(in: notes.schemas["schemas/notes.json"] ?? nil, of: "schemas/notes.json")
                == ["schemas/note.json"]
        )
        #expect(SchemaReference.resolve("../b.json", from: "schemas/deep/a.json") == "schemas/b.json")
    }

    @Test("every status has a response: the function's own, a job's, and all that the gateway refuses")
    func statuses() {
        func statuses(_ path: String, _ method: String) -> Set<String> {
            Set(operation(path, method)["responses"]?.objectValue?.keys ?? [])
        }
        let write = statuses("/users/{user}/notes", "post")
        #expect(
            write.isSuperset(of: [
                "201", "202", "400", "404", "413", "415", "422", "429", "502", "503", "504",
            ])
        )
        #expect(!write.contains("200") && !write.contains("402"))
        let export = statuses("/exports/{file}", "post")
        #expect(export.isSuperset(of: ["202", "402", "409"]) && !export.contains("200"))
        let components = Set(document["components"]?["responses"]?.objectValue?.keys ?? [])
        for status in write.union(export) where status > "399" {
            #expect(components.contains("Error\(status)"))
        }
    }

    @Test("a WebSocket is there up to the 101")
    func sockets() {
        var room = Manifest(name: "room")
        room.webSockets = [.init(path: "/rooms/{room}")]
        room.webSockets[0].subprotocols = ["chat.v2"]
        let document = GatewayDocument([room], version: "1").json
        let connect = document["paths"]?["/rooms/{room}"]?["get"]
        #expect(connect?["operationId"] == "room.connect" && connect?["parameters"]?[0]?["name"] == "room")
        #expect(connect?["description"]?.stringValue?.contains("chat.v2") == true)
        let statuses = connect?["responses"]?.objectValue?.keys ?? []
        #expect(Set(statuses).isSuperset(of: ["101", "403", "426", "503"]))
        #expect(document["components"]?["responses"]?["Error426"] != nil)
    }

    @Test("all references lead somewhere")
    func wholeness() {
        for document in [
            document,
            AdminDocument(
                [
                    ("GET", "/v1/jobs/{id}"), ("POST", "/odd/{a}/b*"),
                    ("POST", "/2015-03-31/functions/{name}/invocations"),
                ],
                version: "1"
            ).json,
        ] {
            for reference in references(in: document)
            where reference.hasPrefix("#/") && !reference.contains("$defs/x") {
                var at: JSON? = document
                for part in reference.dropFirst(2).split(separator: "/") { at = at?[String(part)] }
                #expect(at != nil, "\(reference)")
            }
        }
    }

    @Test("a route of the admin port that nobody describes is in its document all the same")
    func unknown() {
        let document = AdminDocument([("GET", "/v1/new/{id}")], version: "1").json
        let operation = document["paths"]?["/v1/new/{id}"]?["get"]
        #expect(operation?["parameters"]?[0]?["name"] == "id" && operation?["responses"]?["2XX"] != nil)
    }

    private func references(in json: JSON) -> [String] {
        switch json {
        case .array(let elements): elements.flatMap(references)
        case .object(let object):
            object.keys.flatMap { key in
                key == "default"
                    ? []
                    : key == "$ref" ? [object[key]?.stringValue ?? ""] : references(in: object[key] ?? nil)
            }
        default: []
        }
    }
}
