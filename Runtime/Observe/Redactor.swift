import FunctionCore

/// Takes secrets out of a line before it is written: values that the configuration calls secret, and bearer
/// tokens.
package struct Redactor: Sendable {
    private let secrets: [String]

    /// - Parameter secrets: values; ones under six characters are left, as they would blot out half the log
    package init(secrets: [String] = []) {
        let long = secrets.filter { $0.utf8.count >= 6 }
        // A line of JSON holds a secret with its quotes and backslashes escaped.
        let escaped = long.map { String(JSON.string($0).text.dropFirst().dropLast()) }
        self.secrets = Set(long + escaped).sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    /// The line with every secret replaced by `[redacted]`.
    package func clean(_ line: String) -> String {
        var result = line
        for secret in secrets where result.contains(secret) {
            result = Redactor.replacing(secret, in: result)
        }
        return Redactor.withoutBearers(result)
    }

    private static func replacing(_ secret: String, in line: String) -> String {
        var out = ""
        var rest = line[...]
        while let range = rest.firstRange(of: secret) {
            out += rest[..<range.lowerBound] + "[redacted]"
            rest = rest[range.upperBound...]
        }
        return out + rest
    }

    /// Replaces what follows the word `Bearer`, in any case, up to a blank, a quote, a backslash or a comma.
    private static func withoutBearers(_ line: String) -> String {
        let word = Array("bearer ".utf8)
        let bytes = Array(line.utf8)
        var out: [UInt8] = []
        var index = 0
        var found = false
        while index < bytes.count {
            let end = index + word.count
            guard end < bytes.count, zip(bytes[index..<end], word).allSatisfy({ $0 == $1 || $0 | 0x20 == $1 })
            else {
                out.append(bytes[index])
                index += 1
                continue
            }
            let stop = bytes[end...].firstIndex { " \"\\,\n".utf8.contains($0) } ?? bytes.count
            out += bytes[index..<end]
            if stop > end { out += "[redacted]".utf8 }
            found = found || stop > end
            index = stop
        }
        return found ? String(decoding: out, as: UTF8.self) : line
    }
}
