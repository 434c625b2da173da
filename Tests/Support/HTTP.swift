import Fetch
import FunctionCore

/// Requests to a host, each on a thread and a connection of its own.
package enum HTTP {
    package struct Answer: Sendable {
        package var status: Int
        package var headers: [Header]
        package var body: Bytes

        package init(status: Int, headers: [Header], body: Bytes) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        package var text: String { body.text }
        package var json: JSON { (try? JSON.parse(body)) ?? .null }
        /// The `code` of the host's error shape.
        package var code: String? { json["error"]?["code"]?.stringValue }
        package var message: String { json["error"]?["message"]?.stringValue ?? text }

        /// The `data:` lines of server-sent events.
        package var events: [String] {
            text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
        }
    }

    package static func get(_ url: String, _ headers: [Header] = []) async throws -> Answer {
        try await send("GET", url, Bytes(), headers)
    }

    package static func send(
        _ method: String,
        _ url: String,
        _ body: Bytes,
        _ headers: [Header] = []
    ) async throws -> Answer {
        let request = OutboundRequest(
            method: method,
            url: url,
            headers: headers,
            body: body,
            timeout: .seconds(40),
            responseLimit: 64 << 20
        )
        return try await onThread {
            let (head, body) = try BlockingFetch.send(request)
            return Answer(status: head.status, headers: head.headers, body: body)
        }
    }
}
