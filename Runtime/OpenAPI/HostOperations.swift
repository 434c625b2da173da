import FunctionCore

/// What the gateway answers itself, and what it understands of any function's requests.
enum HostOperations {
    static func parameter(_ name: String) -> JSON { ["$ref": .string("#/components/parameters/\(name)")] }

    private static func header(_ name: String) -> JSON { ["$ref": .string("#/components/headers/\(name)")] }

    // MARK: Components

    private static let duration: JSON = ["type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"]
    private static let key: JSON = ["type": "string", "pattern": "^[!-~]{1,256}$"]

    private static let fields: [(name: String, text: String, schema: JSON)] = [
        (
            "Idempotency-Key",
            "A request that comes again with its key has the answer of the first, where the function keeps keys, or asks for a job.",
            ["type": "string", "pattern": "^[!-~]{1,255}$"]
        ),
        (
            "Prefer", "`respond-async` asks for a job in the place of the reply.",
            ["type": "string", "enum": ["respond-async"]]
        ),
        ("Job-Delay", "The job does not begin before that time has passed, such as 30s.", duration),
        (
            "Job-Run-At", "The job does not begin before that instant.",
            ["type": "string", "format": "date-time"]
        ),
        ("Job-Priority", "The higher runs first.", ["type": "integer", "minimum": 0, "maximum": 9]),
        ("Job-Key", "What the job belongs to, for limits of one key and for order.", key),
        ("Job-Unique", "While a job of that key waits or runs, it is the answer.", key),
        ("Job-Expires-In", "It is not begun any more after that time.", duration),
    ]

    static var parameters: JSON {
        var all = JSONObject()
        for (name, text, schema) in fields {
            all[name] = [
                "name": .string(name), "in": "header", "description": .string(text), "schema": schema,
            ]
        }
        return .object(all)
    }

    static var jobParameters: [JSON] {
        fields.filter { $0.name.hasPrefix("Job-") }.map { parameter($0.name) }
    }

    static let headers: JSON = [
        "x-swiftlet-invocation": [
            "description": "The invocation's id in log and journal.", "required": true,
            "schema": ["type": "string", "pattern": "^[0-9a-v]{24}$"],
        ],
        "x-trace-id": [
            "description": "W3C trace.", "schema": ["type": "string", "pattern": "^[0-9a-f]{32}$"],
        ],
        "Location": ["description": "Where the job is.", "schema": ["type": "string"]],
        "Retry-After": ["description": "Seconds.", "schema": ["type": "integer", "minimum": 1]],
        "Idempotency-Replayed": [
            "description": "`true` where it is the answer of an earlier request.",
            "schema": ["type": "string"],
        ],
    ]

    static let usualHeaders: JSON = [
        "x-swiftlet-invocation": header("x-swiftlet-invocation"), "x-trace-id": header("x-trace-id"),
        "Idempotency-Replayed": header("Idempotency-Replayed"),
    ]

    /// The answer where the request became a job.
    static let accepted: JSON = [
        "description": "The request is kept as a job.",
        "headers": [
            "Location": header("Location"), "x-swiftlet-invocation": header("x-swiftlet-invocation"),
            "Idempotency-Replayed": header("Idempotency-Replayed"),
        ],
        "content": ["application/json": ["schema": ["$ref": "#/components/schemas/JobAccepted"]]],
    ]

    // MARK: Operations

    /// What a request to the host itself may be refused with.
    static let usualErrors = [400, 408, 413, 414, 417, 431, 503]

    private static func operation(
        _ id: String,
        _ summary: String,
        _ parameters: [JSON],
        _ good: [(String, JSON)],
        errors: [Int] = []
    ) -> JSON {
        [
            "operationId": .string("host.\(id)"), "tags": ["host"], "summary": .string(summary),
            "parameters": .array(parameters),
            "responses": .object(ErrorResponse.table(good, (usualErrors + errors).sorted())),
        ]
    }

    private static func answer(_ text: String, _ type: String, _ schema: JSON) -> JSON {
        ["description": .string(text), "content": [type: ["schema": schema]]]
    }

    static var gateway: [(method: String, path: String, operation: JSON)] {
        let id = PathTable.parameter("id", ["type": "string"])
        let job: JSON = [
            "type": "object", "required": ["job"],
            "properties": ["job": ["$ref": "#/components/schemas/Job"]],
        ]
        let last: JSON = [
            "name": "Last-Event-ID", "in": "header", "schema": ["type": "integer", "minimum": 0],
            "description": "The last revision that the reader has.",
        ]
        let bytes = { (text: String) -> JSON in ["description": .string(text), "content": ["*/*": [:]]] }
        return [
            (
                "GET", "/v1/jobs/{id}",
                operation(
                    "job",
                    "A job as it stands",
                    [id],
                    [("200", answer("The job.", "application/json", job))],
                    errors: [404]
                )
            ),
            (
                "GET", "/v1/jobs/{id}/events",
                operation(
                    "jobEvents",
                    "A job's changes as server-sent events, until it has ended",
                    [id, last],
                    [("200", ["description": "The changes.", "content": ["text/event-stream": [:]]])],
                    errors: [404]
                )
            ),
            (
                "GET", "/_swiftlet/blobs/{key*}",
                operation(
                    "blob",
                    "A blob, by the signed address that a function gave out; its key may have slashes",
                    [PathTable.parameter("key", ["type": "string"])],
                    [
                        ("200", bytes("The blob.")), ("206", bytes("A part of it.")),
                        ("304", ["description": "The reader has it."]),
                    ],
                    errors: [403, 404, 412, 416]
                )
            ),
            (
                "GET", "/_swiftlet/openapi.json",
                operation(
                    "openapi",
                    "This document",
                    [],
                    [("200", answer("The document.", "application/json", ["type": "object"]))]
                )
            ),
        ]
    }
}
