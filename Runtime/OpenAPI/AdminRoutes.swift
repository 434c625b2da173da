import FunctionCore

/// What is to be said of the admin port's routes.
enum AdminRoutes {
    struct Route {
        var summary: String
        var query: [(String, JSON)] = []
        var headers: [(String, JSON)] = []
        var body: JSON?
        var good: [(status: String, type: String?, schema: JSON?)]
        /// Whether it has the errors of the Lambda API.
        var isLambda = false

        /// A route that answers with JSON where nothing else is said of it.
        init(
            _ summary: String,
            query: [(String, JSON)] = [],
            body: JSON? = nil,
            answers: JSON? = nil,
            as type: String? = nil
        ) {
            self.summary = summary
            self.query = query
            self.body = body
            let type = type ?? (summary.isEmpty ? "*/*" : "application/json")
            good = [(summary.isEmpty ? "2XX" : "200", type, answers)]
        }
    }

    /// What any of them may refuse.
    static let errors = [400, 401, 403, 404, 408, 409, 413, 414, 417, 422, 429, 431, 500, 502, 503, 504]

    private static let text: JSON = ["type": "string"]
    private static let whole: JSON = ["type": "integer"]
    private static let instant: JSON = ["type": "string", "format": "date-time"]

    private static func object(_ names: String...) -> JSON {
        ["type": "object", "required": .array(names.map { .string($0) })]
    }

    private static let job: JSON = [
        "type": "object", "required": ["job"], "properties": ["job": ["$ref": "#/components/schemas/Job"]],
    ]
    private static let clock: JSON = [
        "type": "object", "required": ["now", "virtual", "speed"],
        "properties": ["now": instant, "virtual": ["type": "boolean"], "speed": ["type": "number"]],
    ]
    private static let filter: [(String, JSON)] = [
        ("function", text), ("state", HostSchemas.states), ("error", text), ("from", instant),
        ("until", instant), ("before", whole), ("limit", ["type": "integer", "minimum": 1, "maximum": 500]),
    ]
    private static let letters: [(String, JSON)] = [
        ("key", text), ("id", text), ("all", ["type": "string", "enum": ["1"]]), ("code", text),
    ]

    static let all: [String: Route] = [host, jobs, schedules, lambda, faults, recordings]
        .reduce(into: [:]) { all, part in all.merge(part) { $1 } }

    private static let host: [String: Route] = [
        "GET /healthz": Route("Whether the process lives", answers: object("status")),
        "GET /readyz": Route("What works, and what is degraded", answers: object("status", "degraded")),
        "GET /metrics": Route("Prometheus's metrics", as: "text/plain"),
        "GET /openapi.json": Route("This document", answers: object("openapi", "paths")),
        "GET /openapi/gateway.json": Route("The gateway's document", answers: object("openapi", "paths")),
        "GET /v1/functions": Route("Functions and their workers", answers: object("functions")),
        "POST /v1/functions/{name}/invocations": invocation,
        "GET /v1/functions/{name}/samples": Route(
            "An event for each of its triggers, to invoke it with",
            answers: object("samples")
        ),
        "GET /v1/build": Route("How the build of saved sources stands", answers: object("state")),
        "GET /v1/functions/{name}/trace": Route("The last two minutes, as CSV", as: "text/csv"),
        "GET /v1/invocations": Route(
            "Invocations of late, the newest first",
            query: [
                ("function", text), ("trigger", text), ("outcome", text), ("search", text),
                ("before", ["type": "integer", "minimum": 1]),
                ("limit", ["type": "integer", "minimum": 1, "maximum": 1000]),
            ],
            answers: object("invocations", "before")
        ),
        "GET /v1/invocations/{id}": Route(
            "All attempts of an invocation of late",
            answers: object("attempts", "lines_left_out")
        ),
        "GET /v1/traces": Route(
            "Traces of late, the newest first",
            query: [("limit", ["type": "integer", "minimum": 1, "maximum": 1000])],
            answers: object("traces")
        ),
        "GET /v1/traces/{id}": Route(
            "The spans of a trace of late: its id, or how it begins",
            query: [("format", ["type": "string", "enum": ["tree", "otlp"]])],
            // OTLP's document has `resourceSpans` alone.
            answers: ["type": "object"]
        ),
        "GET /v1/events": Route(
            "What happens, as it happens",
            query: [("kinds", text)],
            as: "text/event-stream"
        ),
        "GET /v1/capacity": Route("What workers take of the host", answers: object("resources", "waiting")),
        "GET /v1/clock": Route("The wall clock", answers: clock),
        "POST /v1/clock": Route(
            "Sets the clock of a `dev` host",
            body: [
                "type": "object",
                "properties": ["set": text, "advance": ["type": "number"], "speed": ["type": "number"]],
            ],
            answers: clock
        ),
        "GET /v1/schedule/audit": Route("What windows did", answers: object("sound", "rotations")),
        "GET /v1/shards/{user}": Route("Where a user's data lie", answers: object("user", "shard", "file")),
        "GET /v1/credits/{user}": Route(
            "A user's credits",
            query: [("limit", whole)],
            answers: object("user", "posted", "held", "available", "transfers")
        ),
        "POST /v1/credits/{user}/grants": Route(
            "Gives a user credits; the same id once",
            body: [
                "type": "object", "required": ["id", "credits"],
                "properties": ["id": text, "credits": whole, "note": text],
            ],
            answers: object("transfer", "available")
        ),
        "POST /v1/reload": Route(
            "Reads bundle, manifests and schedules anew",
            answers: object("generation", "bundle", "changed", "added", "removed", "schedules")
        ),
        "GET /v1/audit": Route(
            "Whether all that was accepted is accounted for",
            answers: object("balanced", "lines")
        ),
    ]

    private static let invocation: Route = {
        var route = Route(
            "Invokes a function by name; its reply is the answer",
            query: [("operation", text), ("async", ["type": "string", "enum": ["1"]])],
            body: ["type": "object"]
        )
        // Functions answer with statuses of their own.
        route.good = [("2XX", "*/*", nil), ("4XX", "*/*", nil)]
        return route
    }()

    private static let jobs: [String: Route] = [
        "GET /v1/jobs": Route("Jobs, the newest first", query: filter, answers: object("jobs")),
        "GET /v1/jobs/{id}": Route("A job with its attempts", answers: job),
        "GET /v1/jobs/{id}/events": Route("A job's changes", as: "text/event-stream"),
        "POST /v1/jobs/{id}/cancel": Route("Cancels a job", answers: job),
        "POST /v1/jobs/{id}/retry": Route("Queues a dead letter again", answers: job),
        "POST /v1/jobs/redrive": Route("Queues many again", query: filter, answers: object("jobs")),
        "POST /v1/jobs/purge": Route("Removes dead letters", query: filter, answers: object("jobs")),
        "GET /v1/dead-letters": Route(
            "Dead letters of a stream or list",
            query: [("key", text), ("after", text), ("limit", whole)],
            answers: object("count", "letters")
        ),
        "POST /v1/dead-letters/redrive": Route(
            "Sends them again",
            query: letters,
            answers: object("redriven")
        ),
        "POST /v1/dead-letters/purge": Route("Removes them", query: letters, answers: object("purged")),
    ]

    private static let schedule: JSON = [
        "type": "object", "required": ["schedule"],
        "properties": ["schedule": object("id", "function", "when")],
    ]

    private static let schedules: [String: Route] = [
        "GET /v1/schedule": Route(
            "Schedules and windows as they stand",
            answers: object("now", "windows", "schedules")
        ),
        "GET /v1/schedule/next": Route(
            "What is due next",
            query: [("count", whole), ("until", instant), ("name", text)],
            answers: object("now", "next", "faults")
        ),
        "GET /v1/schedules/{id}": Route("A schedule", answers: schedule),
        "GET /v1/schedules/{id}/history": Route(
            "Its times, the newest first",
            query: [("before", instant), ("limit", whole)],
            answers: object("times")
        ),
        "GET /v1/schedules/{id}/times/{time}": Route(
            "What became of a time",
            answers: object("verdict", "text")
        ),
        "POST /v1/schedules/{id}/pause": Route(
            "Pauses it",
            body: ["type": "object", "properties": ["note": text]],
            answers: schedule
        ),
        "POST /v1/schedules/{id}/resume": Route("Resumes it", answers: schedule),
        "POST /v1/schedules/{id}/trigger": Route("Has it run now", answers: object("times")),
        "POST /v1/schedules/{id}/backfill": Route(
            "Has it run for past times",
            body: [
                "type": "object", "required": ["from", "to"], "properties": ["from": instant, "to": instant],
            ],
            answers: object("times")
        ),
    ]

    // MARK: Lambda

    static let lambdaError: JSON = [
        "type": "object", "required": ["Type"],
        "properties": [
            "Type": ["enum": ["User", "Service"]], "message": text, "Message": text, "Reason": text,
        ],
    ]

    private static func lambda(
        _ summary: String,
        _ answers: JSON? = nil,
        query: [(String, JSON)] = []
    ) -> Route {
        var route = Route(summary, query: query, answers: answers)
        route.isLambda = true
        return route
    }

    private static let qualifier = ("Qualifier", text)

    private static func invoking(_ summary: String, _ good: [(String, String?, JSON?)]) -> Route {
        var route = lambda(summary, query: [qualifier])
        route.headers = [
            ("X-Amz-Invocation-Type", ["enum": ["RequestResponse", "Event", "DryRun"]]),
            ("X-Amz-Log-Type", ["enum": ["None", "Tail"]]), ("X-Amz-Client-Context", text),
        ]
        route.body = .bool(true)
        route.good = good.map { ($0.0, $0.1, $0.2) }
        return route
    }

    private static let listing = lambda(
        "ListFunctions",
        object("Functions"),
        query: [("Marker", text), ("MaxItems", ["type": "integer", "minimum": 1, "maximum": 10_000])]
    )

    private static let lambda: [String: Route] = [
        "GET /2015-03-31/functions/": listing, "GET /2015-03-31/functions": listing,
        "GET /2015-03-31/functions/{name}": lambda(
            "GetFunction",
            object("Configuration", "Code"),
            query: [qualifier]
        ),
        "GET /2015-03-31/functions/{name}/configuration": lambda(
            "GetFunctionConfiguration",
            object("FunctionName", "FunctionArn"),
            query: [qualifier]
        ),
        "POST /2015-03-31/functions/{name}/invocations": invoking(
            "Invoke",
            [("200", "application/json", nil), ("202", nil, nil), ("204", nil, nil)]
        ),
        "POST /2014-11-13/functions/{name}/invoke-async": invoking("InvokeAsync", [("202", nil, nil)]),
        "POST /2014-11-13/functions/{name}/invoke-async/": invoking("InvokeAsync", [("202", nil, nil)]),
        "POST /2021-11-15/functions/{name}/response-streaming-invocations": invoking(
            "InvokeWithResponseStream",
            [("200", "application/vnd.amazon.eventstream", nil), ("204", nil, nil)]
        ),
    ]

    /// The errors of the Lambda API in its own form, beside those of the port.
    static func lambda(_ good: [(String, JSON)]) -> JSONObject {
        var table = ErrorResponse.table(good, [401, 403, 408, 414, 417, 431, 503])
        for status in [400, 404, 409, 413, 415, 429, 500] {
            table["\(status)"] = [
                "description": "As AWS documents it.",
                "content": ["application/json": ["schema": ["$ref": "#/components/schemas/LambdaError"]]],
            ]
        }
        return table
    }
}
