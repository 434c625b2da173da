/// Binary mode: attributes are header fields `ce-…`, the data are the body.
extension CloudEvent {
    /// Reads the fields of a request.
    /// - Throws: `FunctionError` 400 `bad_cloudevent`, naming the attribute.
    init(headers: [Header], body: Bytes) throws(FunctionError) {
        var attributes: [String: String] = [:]
        for header in headers {
            let name = header.name.lowercased()
            guard name.hasPrefix("ce-") else { continue }
            let attribute = String(name.dropFirst(3))
            guard attribute != "datacontenttype" else {
                throw CloudEvent.fault(
                    attribute,
                    "is the field Content-Type in binary mode; leave out ce-datacontenttype"
                )
            }
            guard let value = CloudEvent.decoded(header.value) else {
                throw CloudEvent.fault(attribute, "must be percent-encoded UTF-8")
            }
            guard attributes.updateValue(value, forKey: attribute) == nil else {
                throw CloudEvent.fault(attribute, "comes twice")
            }
        }
        if let type = headers.first("content-type"), !type.isEmpty { attributes["datacontenttype"] = type }
        try self.init(attributes: attributes, data: body.isEmpty ? nil : body)
    }

    /// The fields that carry the event; its data go as the body.
    package var headers: [Header] {
        let fields = attributes.map { Header("ce-\($0.name)", CloudEvent.encoded($0.value)) }
        guard data != nil || dataContentType != nil else { return fields }
        let type = dataContentType.flatMap { type in
            type.utf8.allSatisfy { $0 >= 32 && $0 < 127 } ? type : nil
        }
        return fields + [Header("content-type", type ?? "application/json")]
    }

    /// Space, quotation mark, percent sign and what is not printable ASCII, as the bytes of its UTF-8.
    static func encoded(_ value: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in value.utf8 {
            if byte > 32, byte < 127, byte != 34, byte != 37 {
                out.append(byte)
            } else {
                out += [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A field's value: quotes are taken off first, then one round of percent signs; nil where that is no UTF-8.
    static func decoded(_ value: String) -> String? {
        var bytes = Array(value.utf8)[...]
        if bytes.count >= 2, bytes.first == 34, bytes.last == 34 {
            var plain: [UInt8] = []
            var isEscaped = false
            for byte in bytes.dropFirst().dropLast() {
                if byte == 92, !isEscaped {
                    isEscaped = true
                } else {
                    plain.append(byte)
                    isEscaped = false
                }
            }
            bytes = plain[...]
        }
        var out: [UInt8] = []
        while let byte = bytes.popFirst() {
            let next = bytes.prefix(2)
            if byte == 37, next.count == 2, let high = hexValue(next[next.startIndex]),
                let low = hexValue(next[next.startIndex + 1])
            {
                out.append(high << 4 | low)
                bytes = bytes.dropFirst(2)
            } else {
                out.append(byte)
            }
        }
        return String(validating: out, as: UTF8.self)
    }
}
