import FunctionCore

/// A persona's name as it is looked up: without surrounding or doubled white space, in lower case.
struct PersonaName: Sendable, Hashable {
    /// The name in its one spelling.
    let text: String

    /// The name in `spelling`; nil for one that is empty, too long or not printable.
    ///
    /// Lower case is Unicode's mapping of each scalar, so it depends on no locale. Canonically equivalent
    /// spellings stay apart, as normal forms would need Foundation or tables of our own.
    init?(_ spelling: String) {
        let words = spelling.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        var lower = ""
        for scalar in words.unicodeScalars {
            guard scalar.properties.generalCategory != .control else { return nil }
            lower += scalar.properties.lowercaseMapping
        }
        guard (1...80).contains(lower.count), lower.utf8.count <= 1024 else { return nil }
        text = lower
    }

    /// The key of the persona's document, and a part of its blobs' keys: letters, digits, `-` and `_` only.
    ///
    /// A plain name reads as itself with dashes. Where that would lose something, a hash of the name follows
    /// after `_`, which no plain name contains, so that no two names share a key but by a collision of 64
    /// bits.
    var key: String {
        var slug = ""
        var isExact = true
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9": slug.unicodeScalars.append(scalar)
            case " ": slug += "-"
            default: isExact = false
            }
        }
        if isExact, slug.utf8.count <= 60 { return slug }
        return String(slug.prefix(40)) + "_" + PersonaName.hash(Bytes(text))
    }

    /// FNV-1a of 64 bits, as sixteen hexadecimal digits.
    static func hash(_ bytes: Bytes) -> String {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in bytes.array {
            hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// `text` percent-encoded as one segment of a path.
    static func pathSegment(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                out += byte < 16 ? "%0" + digits : "%" + digits
            }
        }
        return out
    }
}
