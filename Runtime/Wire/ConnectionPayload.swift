import FunctionCore

extension ConnectionEvent {
    /// Writes what an event says of its connection, as a part of its head.
    func write(to writer: inout WireWriter) {
        writer.string(id)
        writer.integer(phase.rawValue)
        writer.integer(UInt8(isText ? 1 : 0))
        writer.integer(UInt16(clamping: subprotocols.count))
        for name in subprotocols.prefix(Int(UInt16.max)) { writer.string(name) }
        writer.integer(UInt16(clamping: closeCode))
        writer.string(closeReason)
    }

    /// Reads what `write` wrote.
    init(from reader: inout WireReader) throws(WireError) {
        let id = try reader.string()
        let phaseByte = try reader.integer(UInt8.self)
        guard let phase = Phase(rawValue: phaseByte) else {
            throw WireError("a connection in the unknown phase \(phaseByte)")
        }
        self.init(id: id, phase: phase)
        isText = try reader.integer(UInt8.self) == 1
        for _ in 0..<(try reader.integer(UInt16.self)) { subprotocols.append(try reader.string()) }
        closeCode = Int(try reader.integer(UInt16.self))
        closeReason = try reader.string()
    }
}
