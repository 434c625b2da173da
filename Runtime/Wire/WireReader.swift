import FunctionCore

/// Reads a payload field by field; what is missing or too long throws, whatever the other side sent.
package struct WireReader {
    private let bytes: UnsafeRawBufferPointer
    private var index = 0

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private mutating func take(_ count: Int) throws(WireError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - index else {
            throw WireError("a field of \(count) bytes where \(bytes.count - index) are left")
        }
        defer { index += count }
        return UnsafeRawBufferPointer(rebasing: bytes[index..<index + count])
    }

    /// Reads a number, little-endian.
    package mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type = Value.self
    ) throws(WireError) -> Value {
        Value(littleEndian: try take(MemoryLayout<Value>.size).loadUnaligned(as: Value.self))
    }

    /// Reads a text.
    package mutating func string() throws(WireError) -> String {
        let count = Int(try integer(UInt32.self))
        return String(decoding: try take(count), as: UTF8.self)
    }

    /// Reads a text that may be missing.
    package mutating func optional() throws(WireError) -> String? {
        try integer(UInt8.self) == 0 ? nil : try string()
    }

    /// Reads bytes after their length.
    package mutating func block() throws(WireError) -> Bytes {
        let count = Int(try integer(UInt32.self))
        return Bytes(Array(try take(count)))
    }

    /// All that is left.
    package mutating func rest() -> UnsafeRawBufferPointer {
        defer { index = bytes.count }
        return UnsafeRawBufferPointer(rebasing: bytes[index...])
    }

    /// Reads header fields.
    package mutating func headers() throws(WireError) -> [Header] {
        let count = Int(try integer(UInt16.self))
        var result: [Header] = []
        result.reserveCapacity(min(count, 64))
        for _ in 0..<count { result.append(Header(try string(), try string())) }
        return result
    }

    /// Reads a dictionary.
    package mutating func dictionary() throws(WireError) -> [String: String] {
        let count = Int(try integer(UInt16.self))
        var result: [String: String] = [:]
        for _ in 0..<count {
            let name = try string()
            result[name] = try string()
        }
        return result
    }

    /// Reads a request without its body.
    package mutating func request() throws(WireError) -> HTTPRequest {
        HTTPRequest(
            method: try string(),
            target: try string(),
            parameters: try dictionary(),
            headers: try headers(),
            clientAddress: try string(),
            scheme: try string()
        )
    }
}
