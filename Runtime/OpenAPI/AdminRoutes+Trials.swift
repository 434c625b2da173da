import FunctionCore

/// The developer's loop: faults on request, recordings.
extension AdminRoutes {
    private static let text: JSON = ["type": "string"]
    private static let whole: JSON = ["type": "integer"]
    private static let flag: JSON = ["type": "boolean"]

    private static func list(_ items: JSON) -> JSON { ["type": "array", "items": items] }

    private static func object(_ members: [(String, JSON)], optional: [(String, JSON)] = []) -> JSON {
        [
            "type": "object", "required": .array(members.map { .string($0.0) }),
            "properties": .object(JSONObject(members + optional)),
        ]
    }

    private static let function: (String, JSON) = ("function", text)

    // MARK: Faults

    private static let armed = object([
        ("number", whole), ("fault", text), ("function", ["type": ["string", "null"]]), ("left", whole),
    ])

    static let faults: [String: Route] = [
        "GET /v1/faults": Route(
            "Failures that are asked for and have not come yet",
            answers: object([("faults", list(armed))])
        ),
        "POST /v1/faults": {
            var route = Route(
                "Has a provider fail, kills a worker, or ends the host's own Redis for a while",
                body: [
                    "oneOf": [
                        object(
                            [("provider", ["enum": ["429", "500", "hang", "cut"]])],
                            optional: [
                                function, ("count", ["type": "integer", "minimum": 1, "maximum": 1_000_000]),
                            ]
                        ), object([("worker", ["const": "kill"]), function]),
                        object(
                            [("redis", ["const": "lose"])],
                            optional: [("seconds", ["type": "number", "minimum": 0.1, "maximum": 3600])]
                        ),
                    ]
                ]
            )
            route.good = [
                ("200", "application/json", object([("killed", whole)])), ("201", "application/json", armed),
                ("202", "application/json", object([("lost_seconds", ["type": "number"])])),
            ]
            return route
        }(),
        "DELETE /v1/faults": Route("Takes back what has not come yet", answers: object([("cleared", whole)])),
    ]

    // MARK: Recordings

    private static let times: (String, JSON) = (
        "times", ["type": "integer", "minimum": 1, "maximum": 1000, "default": 1]
    )
    private static let attempt: (String, JSON) = ("attempt", whole)
    private static let replay = object([
        ("id", text), function, ("same_bundle", flag), ("times", whole), ("same", whole),
        (
            "runs",
            list(
                object(
                    [
                        ("invocation", text), ("outcome", text), ("duration_ms", ["type": "number"]),
                        ("status", whole), ("reply", text), ("same", flag), ("differences", list(text)),
                    ],
                    optional: [("calls", whole)]
                )
            )
        ),
    ])

    static let recordings: [String: Route] = [
        "GET /v1/recordings": Route(
            "Recorded invocations, the newest first",
            answers: object([
                (
                    "recordings",
                    list(
                        object([
                            ("id", text), attempt, function, ("outcome", text),
                            ("recorded", ["type": "string", "format": "date-time"]), ("bytes", whole),
                        ])
                    )
                )
            ])
        ),
        "GET /v1/recordings/{id}": Route(
            "A recording, as another host takes it; of several attempts the last",
            query: [attempt],
            answers: ["type": "object"]
        ),
        "POST /v1/recordings/{id}/replay": Route(
            "Runs an invocation again as it was",
            query: [attempt, times],
            answers: replay
        ),
        "POST /v1/replay": Route(
            "Runs the recording in the body again as it was",
            query: [times],
            body: ["type": "object"],
            answers: replay
        ),
    ]
}
