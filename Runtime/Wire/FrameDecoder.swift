/// Cuts a stream of bytes into frames, wherever it was split.
package struct FrameDecoder: Sendable {
    private var buffer: [UInt8] = []
    private var start = 0

    package init() {}

    /// Takes in what was read.
    package mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0, start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 20)
            start = 0
        } else if start > 1 << 16 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole frame, or nil until more has been read.
    /// - Throws: `WireError` for an unknown kind or a payload over `Frame.payloadMax`.
    package mutating func next() throws(WireError) -> Frame? {
        guard buffer.count - start >= Frame.headerLength else { return nil }
        var reader = WireReader(buffer[start..<start + Frame.headerLength])
        let length = Int(try reader.integer(UInt32.self))
        let kindByte = try reader.integer(UInt8.self)
        let flags = try reader.integer(UInt8.self)
        _ = try reader.integer(UInt16.self)
        let id = try reader.integer(UInt32.self)
        guard let kind = Frame.Kind(rawValue: kindByte) else {
            throw WireError("a frame of unknown kind \(kindByte)")
        }
        guard length <= Frame.payloadMax else {
            throw WireError("a frame of \(length) bytes; \(Frame.payloadMax) are allowed")
        }
        let end = start + Frame.headerLength + length
        guard buffer.count >= end else { return nil }
        defer { start = end }
        return Frame(kind, id: id, flags: flags, payload: buffer[start + Frame.headerLength..<end])
    }
}
