import FunctionCore
import Invocations
import Scheduling

/// An event for each trigger that a function has, made from its manifest.
struct SampleEvents {
    let manifest: Manifest
    let book: ScheduleBook
    let now: Instant

    /// In the order of the manifest; a plain one last, which every function has.
    var all: [Event] {
        routes + sockets + streams + schedules + [plain]
    }

    private var plain: Event {
        let operation = manifest.routes.first?.operation ?? ""
        let members = SampleMembers(manifest, operation).members
        return Event(operation: operation, body: JSON.object(members).bytes())
    }

    private var routes: [Event] {
        manifest.routes.map { route in
            var members = SampleMembers(manifest, route.operation)
            let (path, parameters) = SampleEvents.fill(route.path, &members)
            let hasBody = ["POST", "PUT", "PATCH"].contains(route.method)
            let request = HTTPRequest(
                method: route.method,
                target: hasBody ? path : path + members.query,
                parameters: parameters,
                headers: hasBody ? [.json] : []
            )
            return Event(
                kind: .http,
                operation: route.operation,
                request: request,
                body: hasBody ? JSON.object(members.members).bytes() : Bytes()
            )
        }
    }

    private var sockets: [Event] {
        manifest.webSockets.flatMap { socket in
            var members = SampleMembers(manifest, socket.operation)
            let (target, parameters) = SampleEvents.fill(socket.path, &members)
            let request = HTTPRequest(method: "GET", target: target, parameters: parameters)
            return [ConnectionEvent.Phase.connect, .message, .disconnect].map { phase in
                Event(
                    kind: .websocket,
                    operation: socket.operation,
                    request: request,
                    connection: ConnectionEvent(id: "sample", phase: phase),
                    body: phase == .message ? JSON.object(members.members).bytes() : Bytes()
                )
            }
        }
    }

    private var streams: [Event] {
        let named =
            manifest.streams.map { ($0.stream, $0.operation) }
            + manifest.lists.map { ($0.list, $0.operation) }
            + manifest.channels.map { ($0.channel, $0.operation) }
        return named.map { name, operation in
            let type = name.hasPrefix("events:") ? String(name.dropFirst(7)) : "redis.entry"
            let entry: JSON = [
                "id": "sample-1", "type": .string(type), "source": "sample", "time": .string(now.rfc3339),
                "data": [:],
            ]
            let body: JSON = ["stream": .string(name), "entries": [entry]]
            return Event(kind: .redis, operation: operation, body: body.bytes())
        }
    }

    private var schedules: [Event] {
        book.entries.filter { $0.function == manifest.name }.map { entry in
            if let input = book.inputs[entry.id] {
                let filled = input.filled("{{scheduledTime}}", with: now.rfc3339)
                return Event(kind: .schedule, body: filled.bytes())
            }
            var body: JSONObject = [
                "schedule": .string(entry.id), "nominal": .string(now.rfc3339),
                "idempotencyKey": .string("sample-\(entry.id)"),
            ]
            if case .window(_, let window, _) = entry.kind {
                body["window"] = .string(window)
                body["until"] = .string((now + .seconds(3600)).rfc3339)
            }
            return Event(kind: .schedule, body: JSON.object(body).bytes())
        }
    }

    /// A path with a value for each name: the schema's, or a number where the name speaks of one, else a word.
    private static func fill(
        _ path: String,
        _ members: inout SampleMembers
    ) -> (target: String, parameters: [String: String]) {
        var parameters: [String: String] = [:]
        let parts = path.split(separator: "/").map { part -> String in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return String(part) }
            let name = String(part.dropFirst().dropLast().filter { $0 != "*" })
            let word = name == "user" || name.hasSuffix("id") || name == "to" ? "1" : "sample"
            let value = members.take(name) ?? word
            parameters[name] = value
            return SampleMembers.encoded(value)
        }
        return ("/" + parts.joined(separator: "/"), parameters)
    }
}
