import FunctionCore

/// One server-sent event.
package struct ServerSentEvent: Sendable, Hashable {
    /// `message` where the stream names none.
    package var name: String
    package var data: String
    package var id: String?

    package init(name: String = "message", data: String, id: String? = nil) {
        self.name = name
        self.data = data
        self.id = id
    }
}

/// Reads `text/event-stream`.
///
/// Lines end with CR, LF or CRLF, and pieces may be split anywhere, within a character too.
package struct EventStreamParser: Sendable {
    /// The longest event: a line or the data of several.
    ///
    /// A server that sends more is not telling a story.
    package static let limit = 1024 * 1024

    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var name = ""
    private var id: String?
    private var lastWasCarriageReturn = false
    private var isFirstLine = true

    package init() {}

    /// Takes a piece and returns the events that it completes.
    /// - Throws: `FunctionError` 503 for an event without end.
    package mutating func feed(_ bytes: Bytes) throws -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes.array {
            switch byte {
            case 10 where lastWasCarriageReturn:
                lastWasCarriageReturn = false
            case 10, 13:
                lastWasCarriageReturn = byte == 13
                if let event = endLine() { events.append(event) }
            default:
                lastWasCarriageReturn = false
                line.append(byte)
            }
            guard line.count + data.count <= EventStreamParser.limit else {
                throw FunctionError(
                    status: 503,
                    code: "provider_unavailable",
                    message: "the provider sent an event of more than \(EventStreamParser.limit) bytes"
                )
            }
        }
        return events
    }

    private mutating func endLine() -> ServerSentEvent? {
        defer {
            line.removeAll(keepingCapacity: true)
            isFirstLine = false
        }
        if isFirstLine, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        guard !line.isEmpty else { return endEvent() }
        guard line.first != 58 else { return nil }
        let colon = line.firstIndex(of: 58) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == 32 { value.removeFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data":
            if hasData { data.append(10) }
            data += value
            hasData = true
        case "event": name = String(decoding: value, as: UTF8.self)
        case "id": id = String(decoding: value, as: UTF8.self)
        default: break
        }
        return nil
    }

    private mutating func endEvent() -> ServerSentEvent? {
        defer {
            data.removeAll(keepingCapacity: true)
            hasData = false
            name = ""
        }
        guard hasData else { return nil }
        return ServerSentEvent(
            name: name.isEmpty ? "message" : name,
            data: String(decoding: data, as: UTF8.self),
            id: id
        )
    }
}
