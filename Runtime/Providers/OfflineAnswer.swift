import FunctionCore

/// What the offline provider answers; whoever runs it puts it on the wire.
package struct OfflineAnswer: Sendable {
    package enum Body: Sendable {
        case whole(Bytes)
        /// Complete events of `text/event-stream`, to be sent one after another with `pause` between two of
        /// them.
        case events([String], pause: Duration)
    }

    package var status: Int
    package var headers: [Header]
    package var body: Body

    init(status: Int = 200, headers: [Header] = [], body: Body) {
        self.status = status
        self.headers =
            headers + [
                Header("x-swiftlet-offline", "1"),
                Header("x-request-id", "offline"),
            ]
        self.body = body
    }

    static func json(_ value: JSON, status: Int = 200, headers: [Header] = []) -> OfflineAnswer {
        OfflineAnswer(status: status, headers: [.json] + headers, body: .whole(value.bytes()))
    }

    /// An error in the vendor's form, with all four of its members.
    static func error(
        _ status: Int,
        _ message: String,
        type: String = "invalid_request_error",
        code: String? = nil,
        parameter: String? = nil,
        headers: [Header] = []
    ) -> OfflineAnswer {
        let error: JSON = [
            "message": .string(message),
            "type": .string(type),
            "param": parameter.map { .string($0) } ?? .null,
            "code": code.map { .string($0) } ?? .null,
        ]
        return json(["error": error], status: status, headers: headers)
    }

    /// The body's bytes, however it is sent.
    package var bytes: Bytes {
        switch body {
        case .whole(let bytes): bytes
        case .events(let events, _): Bytes(events.joined())
        }
    }
}
