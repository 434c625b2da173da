/// A header field of requests that the front itself acts on.
enum FieldName: Sendable {
    case host, expect, prefer, upgrade, connection, traceparent, contentType, requestID, contentLength
    case idempotencyKey, contentEncoding, transferEncoding, acceptEncoding, origin
    /// One of those in which proxies say whom they serve.
    case forwarder
    /// One by which a developer asks for more than a reply.
    case trial

    /// The field that `name` is the name of, whatever the case of its letters; nil for all that only pass
    /// through.
    init?(_ name: Span<UInt8>) {
        // Sorted by length, so that most fields cost one comparison of two numbers.
        switch name.count {
        case 4 where name.spells("host"): self = .host
        case 6 where name.spells("expect"): self = .expect
        case 6 where name.spells("prefer"): self = .prefer
        case 6 where name.spells("origin"): self = .origin
        case 7 where name.spells("upgrade"): self = .upgrade
        case 9 where name.spells("forwarded") || name.spells("x-real-ip"): self = .forwarder
        case 10 where name.spells("connection"): self = .connection
        case 11 where name.spells("traceparent"): self = .traceparent
        case 12 where name.spells("content-type"): self = .contentType
        case 12 where name.spells("x-request-id"): self = .requestID
        case 14 where name.spells("content-length"): self = .contentLength
        case 15 where name.spells("idempotency-key"): self = .idempotencyKey
        case 15 where name.spells("accept-encoding"): self = .acceptEncoding
        case 15 where name.spells("x-forwarded-for"): self = .forwarder
        case 16 where name.spells("x-forwarded-host") || name.spells("x-forwarded-port"): self = .forwarder
        case 16 where name.spells("x-swiftlet-fault"): self = .trial
        case 16 where name.spells("content-encoding"): self = .contentEncoding
        case 17 where name.spells("x-forwarded-proto"): self = .forwarder
        case 17 where name.spells("transfer-encoding"): self = .transferEncoding
        case 17 where name.spells("x-swiftlet-record"): self = .trial
        default: return nil
        }
    }
}

extension Span<UInt8> {
    /// Whether the bytes are `word`, which is in small letters, digits and hyphens, whatever the case of
    /// theirs.
    func spells(_ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        // SAFETY: a literal of as many bytes as `count`, which is compared; it never goes away.
        let text = unsafe UnsafeBufferPointer(start: word.utf8Start, count: count)
        for index in 0..<count where self[index] != text[index] {
            // Letters differ from their capitals by this bit, and nothing else that may stand here does.
            guard self[index] | 0x20 == text[index], text[index] >= 97 else { return false }
        }
        return true
    }
}

extension String {
    /// Whether this is the header name `name`, whatever the case of its letters.
    func isHeader(_ name: String) -> Bool {
        let left = utf8.span
        let right = name.utf8.span
        guard left.count == right.count else { return false }
        for index in 0..<left.count where left[index] != right[index] {
            let letter = left[index] | 0x20
            guard letter == right[index] | 0x20, letter >= 97, letter <= 122 else { return false }
        }
        return true
    }
}
