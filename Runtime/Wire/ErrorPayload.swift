import FunctionCore

/// A `FunctionError` on the wire.
///
/// What a function says in it is cut to fit into a frame, whatever its length.
package enum ErrorPayload {
    private static let codeMax = 256
    private static let messageMax = 64 * 1024
    private static let faultsMax = 1000
    private static let faultTextMax = 4096
    private static let documentMax = 256 * 1024

    package static func write(_ error: FunctionError, to writer: inout WireWriter, id: UInt32) {
        writer.frame(.error, id: id) { write(error, to: &$0) }
    }

    /// Writes the error's fields alone.
    static func write(_ error: FunctionError, to writer: inout WireWriter) {
        writer.integer(UInt16(clamping: error.status))
        writer.string(error.code, limit: codeMax)
        writer.string(error.message, limit: messageMax)
        switch error.retry {
        case .byPolicy: writer.integer(Int64(-1))
        case .never: writer.integer(Int64(-2))
        case .discard: writer.integer(Int64(-3))
        case .after(let wait): writer.integer(max(0, wait.nanoseconds))
        }
        writer.integer(UInt16(min(error.faults.count, faultsMax)))
        for fault in error.faults.prefix(faultsMax) {
            writer.string(fault.path, limit: faultTextMax)
            writer.string(fault.rule, limit: faultTextMax)
            writer.string(fault.message, limit: faultTextMax)
        }
        writer.block(error.document.flatMap { $0.count <= documentMax ? $0 : nil } ?? Bytes())
    }

    package static func read(_ payload: UnsafeRawBufferPointer) throws(WireError) -> FunctionError {
        var reader = WireReader(payload)
        return try read(&reader)
    }

    /// Reads the error's fields.
    static func read(_ reader: inout WireReader) throws(WireError) -> FunctionError {
        let status = Int(try reader.integer(UInt16.self))
        let code = try reader.string()
        let message = try reader.string()
        let wait = try reader.integer(Int64.self)
        let count = Int(try reader.integer(UInt16.self))
        var faults: [Fault] = []
        for _ in 0..<count {
            faults.append(Fault(try reader.string(), try reader.string(), try reader.string()))
        }
        let retry: FunctionError.Retry =
            switch wait {
            case 0...: .after(.nanoseconds(wait))
            case -2: .never
            case -3: .discard
            default: .byPolicy
            }
        var error = FunctionError(
            status: (400...599).contains(status) ? status : 500,
            code: code,
            message: message,
            faults: faults,
            retry: retry
        )
        let document = try reader.block()
        error.document = document.isEmpty ? nil : document
        return error
    }
}
