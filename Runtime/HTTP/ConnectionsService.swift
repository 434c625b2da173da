import FunctionCore
import Invocations
import NIOCore
import WebSockets

/// The binding `connections`: a function speaks to its WebSocket clients from any event.
package struct ConnectionsService: BindingService {
    package let binding = "connections"
    private let table: SocketTable

    package init(_ table: SocketTable) {
        self.table = table
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        let function = call.origin.function
        switch call.method {
        case "list":
            try answer.send(encoding: table.ids(of: function))
        case "send":
            let query: ConnectionQuery = try call.decode()
            let message = try message(call.body, isText: query.isText ?? true)
            guard let connection = table.find(query.id, of: function) else { throw gone }
            switch try await connection.push(message).get() {
            case .sent: return
            case .gone: throw gone
            case .crowded: throw crowded
            }
        case "close":
            let query: ConnectionQuery = try call.decode()
            let closing = try closing(query)
            table.find(query.id, of: function)?.close(closing)
        default: throw call.unknownMethod(of: binding)
        }
    }

    private func message(_ body: Bytes, isText: Bool) throws -> SocketMessage {
        guard body.count <= SocketLimits.pushMax else {
            let message = "a message has at most 1 MiB, not \(body.count) bytes; send a link, or several"
            throw FunctionError(status: 413, code: "message_too_large", message: message, retry: .never)
        }
        guard !isText || UTF8Check.isText(body.array) else {
            throw FunctionError.invalid("body", "utf8", "a text message must be UTF-8; send it as binary")
        }
        return SocketMessage(isText: isText, bytes: body.array)
    }

    private func closing(_ query: ConnectionQuery) throws -> Closing {
        let code = CloseCode(rawValue: query.code ?? 1000)
        let reason = query.reason ?? ""
        guard code.isForFunctions else {
            let message =
                "\(code.rawValue) is for the host; use 1000, 1001, 1008, 1011 to 1013, or 3000 to 4999"
            throw FunctionError.invalid("code", "range", message)
        }
        guard reason.utf8.count <= Closing.reasonMax else {
            throw FunctionError.invalid("reason", "length", "a reason has at most 123 bytes of UTF-8")
        }
        return Closing(code, reason)
    }

    private var gone: FunctionError {
        let message = "there is no such connection of this function any more, or it is not open yet"
        return FunctionError(status: 410, code: "connection_gone", message: message, retry: .never)
    }

    private var crowded: FunctionError {
        let message = "\(SocketConnection.waitersMax) messages wait for this client already; it does not read"
        return FunctionError(status: 429, code: "connection_slow", message: message)
    }
}
