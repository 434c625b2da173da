/// The form of server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html.
enum ServerSentEvent {
    static func bytes(_ data: String, name: String?, id: String?, retry: Duration?) throws -> Bytes {
        var text: [UInt8] = []
        text.reserveCapacity(data.utf8.count + 32)
        if let id { text += try field("id", id) }
        if let name { text += try field("event", name) }
        if let retry { text += try field("retry", String(max(0, retry.nanoseconds / 1_000_000))) }
        append(data, as: "data: ", to: &text)
        text.append(10)
        return Bytes(text)
    }

    static func comment(_ comment: String) -> Bytes {
        var text: [UInt8] = []
        append(comment, as: ": ", to: &text)
        text.append(10)
        return Bytes(text)
    }

    /// A line end in an id would let whoever chose the id write events of his own; of an id with NUL clients
    /// take nothing.
    private static func field(_ name: String, _ value: String) throws -> [UInt8] {
        guard !value.utf8.contains(where: { $0 == 10 || $0 == 13 || $0 == 0 }) else {
            let message = "the \(name) of a server-sent event holds a line end or NUL; take it out"
            throw FunctionError(code: "invalid_event", message: message)
        }
        return Array("\(name): \(value)\n".utf8)
    }

    /// CR, LF and CRLF all end a line, so each begins a new one here: clients put them together with LF.
    private static func append(_ value: String, as prefix: String, to text: inout [UInt8]) {
        text += prefix.utf8
        guard value.utf8.contains(where: { $0 == 10 || $0 == 13 }) else {
            text += value.utf8
            text.append(10)
            return
        }
        var previous: UInt8 = 0
        for byte in value.utf8 {
            if byte == 13 || (byte == 10 && previous != 13) {
                text.append(10)
                text += prefix.utf8
            } else if byte != 10 {
                text.append(byte)
            }
            previous = byte
        }
        text.append(10)
    }
}
