import FunctionCore

/// Schemas of what the host itself says.
enum HostSchemas {
    static let gateway: JSONObject = [
        "Error": error, "JobAccepted": accepted, "Job": job,
    ]

    /// `{"error": {"code", "message", …}}`.
    static let error: JSON = [
        "type": "object", "required": ["error"],
        "properties": [
            "error": [
                "type": "object", "required": ["code", "message"],
                "properties": [
                    "code": ["type": "string", "description": "One of a few dozen words."],
                    "message": ["type": "string", "description": "The field, the rule and the remedy."],
                    "invocation": ["type": "string", "description": "Its id in the host's log."],
                    "faults": [
                        "type": "array",
                        "items": [
                            "type": "object", "required": ["path", "rule", "message"],
                            "properties": [
                                "path": ["type": "string"], "rule": ["type": "string"],
                                "message": ["type": "string"],
                            ],
                        ],
                    ],
                ],
            ]
        ],
    ]

    private static let accepted: JSON = [
        "type": "object", "required": ["job"],
        "properties": [
            "job": [
                "type": "object", "required": ["id", "state", "location"],
                "properties": [
                    "id": ["type": "string"], "state": ["const": "queued"], "location": ["type": "string"],
                ],
            ]
        ],
    ]

    /// The states that a job can be in.
    static let states: JSON = [
        "enum": ["queued", "running", "retry_wait", "completed", "failed", "cancelled", "expired"]
    ]

    static let job: JSON = [
        "type": "object",
        "required": [
            "id", "function", "state", "revision", "percent", "attempt", "max_attempts", "created", "updated",
            "trace",
        ],
        "properties": [
            "id": ["type": "string"], "function": ["type": "string"], "state": states,
            "revision": ["type": "integer", "description": "Rises with every change."],
            "percent": ["type": "integer", "minimum": 0, "maximum": 100], "stage": ["type": "string"],
            "attempt": ["type": "integer"], "max_attempts": ["type": "integer"],
            "created": ["type": "string", "format": "date-time"],
            "updated": ["type": "string", "format": "date-time"],
            "next_attempt": ["type": "string", "format": "date-time"],
            "trace": ["type": "string"], "status": ["type": "integer"],
            "result": ["description": "The function's reply, or where it is kept."],
            "error": [
                "type": "object", "required": ["code", "message", "status"],
                "properties": [
                    "code": ["type": "string"], "message": ["type": "string"], "status": ["type": "integer"],
                ],
            ],
        ],
    ]
}
