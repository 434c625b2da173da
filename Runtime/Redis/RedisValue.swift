import FunctionCore

/// One reply of a Redis server, as RESP2 has them.
package enum RedisValue: Sendable, Hashable {
    /// A status such as `OK`.
    case simple(String)
    /// Bytes.
    case bulk(Bytes)
    case integer(Int64)
    case array([RedisValue])
    /// A missing value, or a blocking read whose time is over.
    case null
    /// An error; the first word is its kind, such as `WRONGTYPE`.
    case error(String)

    /// The text of a status or of bytes.
    package var text: String? {
        switch self {
        case .simple(let text): text
        case .bulk(let bytes): bytes.text
        case .integer(let number): String(number)
        default: nil
        }
    }

    /// The bytes of a bulk reply or of a status.
    package var bytes: Bytes? {
        switch self {
        case .bulk(let bytes): bytes
        case .simple(let text): Bytes(text)
        default: nil
        }
    }

    /// The number, also where Redis sends it as text.
    package var int: Int? {
        switch self {
        case .integer(let number): Int(number)
        case .bulk(let bytes): Int(bytes.text)
        default: nil
        }
    }

    /// The elements.
    package var array: [RedisValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// Whether this is a missing value.
    package var isNull: Bool {
        self == .null
    }
}
