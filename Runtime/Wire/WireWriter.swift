import FunctionCore

/// Appends frames to a buffer.
package struct WireWriter: Sendable {
    /// What has been written.
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package var isEmpty: Bool { bytes.isEmpty }

    /// Forgets what has been written; keeps the memory, unless one large frame has made it large.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
    }

    /// Writes one frame whose payload `body` appends.
    package mutating func frame(
        _ kind: Frame.Kind,
        id: UInt32 = 0,
        flags: UInt8 = 0,
        _ body: (inout WireWriter) -> Void = { _ in }
    ) {
        let start = bytes.count
        integer(UInt32(0))
        bytes.append(kind.rawValue)
        bytes.append(flags)
        integer(UInt16(0))
        integer(id)
        body(&self)
        let length = UInt32(bytes.count - start - Frame.headerLength).littleEndian
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: start, as: UInt32.self) }
    }

    /// Writes a number, little-endian.
    package mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Writes a text: its length in four bytes, then UTF-8.
    package mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            integer(UInt32(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    /// Writes a text cut to `limit` bytes of UTF-8, where the text is a function's own and may be of any
    /// length.
    package mutating func string(_ text: String, limit: Int) {
        if text.utf8.count <= limit { return string(text) }
        string(String(decoding: text.utf8.prefix(limit), as: UTF8.self))
    }

    /// Writes a text that may be missing: one byte, then the text.
    package mutating func optional(_ text: String?) {
        bytes.append(text == nil ? 0 : 1)
        if let text { string(text) }
    }

    /// Writes bytes after their length.
    package mutating func block(_ block: Bytes) {
        integer(UInt32(block.count))
        bytes.append(contentsOf: block.array)
    }

    /// Writes bytes as they are, to the end of the payload.
    package mutating func rest(_ block: [UInt8]) {
        bytes.append(contentsOf: block)
    }

    /// Writes bytes as they are, to the end of the payload.
    package mutating func rest(_ block: ArraySlice<UInt8>) {
        bytes.append(contentsOf: block)
    }

    /// Writes header fields after their number.
    package mutating func headers(_ headers: [Header]) {
        integer(UInt16(clamping: headers.count))
        for header in headers.prefix(Int(UInt16.max)) {
            string(header.name)
            string(header.value)
        }
    }

    /// Writes a dictionary after its size.
    package mutating func dictionary(_ values: [String: String]) {
        integer(UInt16(clamping: values.count))
        for (name, value) in values.prefix(Int(UInt16.max)) {
            string(name)
            string(value)
        }
    }

    /// Writes a request without its body.
    package mutating func request(_ request: HTTPRequest) {
        string(request.method)
        string(request.target)
        dictionary(request.parameters)
        headers(request.headers)
        string(request.clientAddress)
        string(request.scheme)
    }
}
