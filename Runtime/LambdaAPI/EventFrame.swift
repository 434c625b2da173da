import FunctionCore

/// A message of the format `application/vnd.amazon.eventstream`.
///
/// Length of all, length of the headers, CRC-32 of these two; the headers; the payload; CRC-32 of all before.
/// Numbers are big-endian.
package struct EventFrame: Sendable, Hashable {
    package var headers: [Header]
    package var payload: Bytes

    package init(_ headers: [Header], _ payload: Bytes) {
        self.headers = headers
        self.payload = payload
    }

    /// A piece of a function's reply.
    package static func chunk(_ payload: Bytes) -> EventFrame {
        EventFrame(event("PayloadChunk", "application/octet-stream"), payload)
    }

    /// The reply's end: with the error where it failed, with the log where it was asked for.
    package static func complete(error: Bytes? = nil, log: String? = nil) -> EventFrame {
        var object = JSONObject()
        if let error {
            object["ErrorCode"] = "Unhandled"
            object["ErrorDetails"] = .string(error.text)
        }
        if let log { object["LogResult"] = .string(log) }
        return EventFrame(event("InvokeComplete", "application/json"), JSON.object(object).bytes())
    }

    private static func event(_ type: String, _ contentType: String) -> [Header] {
        [
            Header(":message-type", "event"), Header(":event-type", type),
            Header(":content-type", contentType),
        ]
    }

    package var bytes: Bytes {
        var head: [UInt8] = []
        for header in headers {
            head.append(UInt8(truncatingIfNeeded: header.name.utf8.count))
            head += header.name.utf8
            // 7: a string.
            head.append(7)
            head += EventFrame.bigEndian(UInt16(truncatingIfNeeded: header.value.utf8.count))
            head += header.value.utf8
        }
        var all: [UInt8] = []
        all.reserveCapacity(16 + head.count + payload.count)
        all += EventFrame.bigEndian(UInt32(16 + head.count + payload.count))
        all += EventFrame.bigEndian(UInt32(head.count))
        all += EventFrame.bigEndian(CRC32.of(all))
        all += head
        all += payload.array
        all += EventFrame.bigEndian(CRC32.of(all))
        return Bytes(all)
    }

    private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

/// The checksum of Ethernet, gzip and PNG (ISO 3309), by a table.
package enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320
        }
    }

    package static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let table = table
        return ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }
}
