import FunctionCore
import Glibc

/// Speaks by WebSocket: sends back what it is told, or does what the message says.
struct SocketFunction: StreamingFunction {
    func handle(_ event: Event, _ context: Context, _ reply: ReplyStream) async throws {
        guard let connection = event.connection else {
            return try await reply.send(try await push(event, context))
        }
        switch connection.phase {
        case .connect: try await reply.send(admission(event, connection))
        case .message: try await answer(event, connection, context, reply)
        case .disconnect:
            context.log.info(
                "disconnected",
                [
                    "connection": connection.id, "code": "\(connection.closeCode)",
                    "reason": connection.closeReason,
                ]
            )
        }
    }

    private func admission(_ event: Event, _ connection: ConnectionEvent) -> Reply {
        guard event.request?.query["token"] != "wrong" else {
            return Reply.json(["error": "who are you?"], status: 401)
        }
        return Reply(headers: [Header("set-cookie", "seen=1")])
    }

    /// A plain event or a request: sends to a connection, or to all.
    private func push(_ event: Event, _ context: Context) async throws -> Reply {
        let settings = Settings(event)
        let ids =
            settings.text("to").isEmpty
            ? try await context.bindings.connections.list() : [settings.text("to")]
        for id in ids { try await context.bindings.connections.send(settings.text("text"), to: id) }
        return .text("\(ids.count)")
    }

    private func answer(
        _ event: Event,
        _ connection: ConnectionEvent,
        _ context: Context,
        _ reply: ReplyStream
    ) async throws {
        let words = event.body.text.split(separator: " ").map(String.init)
        let number = words.count > 1 ? Int(words[1]) ?? 0 : 0
        switch connection.isText ? words.first : nil {
        case "id": try await reply.write(Bytes(connection.id))
        case "pid": try await reply.write(Bytes("\(getpid())"))
        case "room": try await reply.write(Bytes(event.request?.parameters["room"] ?? "none"))
        case "protocol": try await reply.write(Bytes(connection.subprotocols.joined(separator: " ")))
        case "stream": for index in 0..<number { try await reply.write(Bytes("\(index)")) }
        case "big": try await reply.write(Bytes([UInt8](repeating: 65, count: number)))
        case "binary":
            try reply.start(headers: [Header("content-type", "application/octet-stream")])
            try await reply.write(Bytes([0, 255, 0]))
        case "fail":
            throw FunctionError(status: 422, code: "not_today", message: "this does not work today")
        case "crash": abort()
        case "wait":
            try await pause(number)
            try await reply.write("waited")
        case "close":
            try await context.bindings.connections.close(connection.id, code: number, reason: "as you wish")
        default: try await reply.write(event.body)
        }
    }
}

/// Counts by server-sent events from 1 to `events`, `delay` milliseconds apart.
///
/// A client that has some goes on behind the last; `idle: 1` sends one and then nothing more.
struct TickerFunction: StreamingFunction {
    func handle(_ event: Event, _ context: Context, _ reply: ReplyStream) async throws {
        let settings = Settings(event)
        try reply.start(headers: [.eventStream])
        let first = (event.request?.lastEventID.flatMap { Int($0) } ?? 0) + 1
        let last = settings.integer("events", 10)
        guard first <= last else { return }
        for number in first...last {
            try await reply.event("\(number)", name: "tick", id: "\(number)", retry: .milliseconds(100))
            while settings.integer("idle", 0) == 1 { try await pause(3_600_000) }
            try await pause(settings.integer("delay", 0))
        }
    }
}
