import FunctionCore
import Glibc

/// Takes secrets out of a line before it is written: values that the configuration calls secret, and bearer
/// tokens.
package struct Redactor: Sendable {
    /// The longer ones first.
    private let secrets: [[UInt8]]

    /// - Parameter secrets: values; ones under six characters are left, as they would blot out half the log
    package init(secrets: [String] = []) {
        let long = secrets.filter { $0.utf8.count >= 6 }
        // A line of JSON holds a secret with its quotes and backslashes escaped.
        let escaped = long.map { String(JSON.string($0).text.dropFirst().dropLast()) }
        self.secrets = Set(long + escaped).sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
            .map { Array($0.utf8) }
    }

    /// The text with every secret replaced by `[redacted]`.
    package func clean(_ text: String) -> String {
        String(decoding: clean(Array(text.utf8)), as: UTF8.self)
    }

    /// The same for lines as bytes; what holds no secret is given back as it is.
    package func clean(_ lines: [UInt8]) -> [UInt8] {
        var lines = lines
        for secret in secrets { lines = Redactor.replacing(secret, in: lines) }
        return Redactor.withoutBearers(lines)
    }

    private static func replacing(_ secret: [UInt8], in lines: [UInt8]) -> [UInt8] {
        guard var found = find(secret, in: lines, from: 0) else { return lines }
        var out: [UInt8] = []
        var start = 0
        while true {
            out += lines[start..<found]
            out += mark
            start = found + secret.count
            guard let next = find(secret, in: lines, from: start) else { break }
            found = next
        }
        return out + lines[start...]
    }

    /// Replaces what follows the word `Bearer`, in any case, up to a blank, a quote, a backslash or a comma.
    private static func withoutBearers(_ lines: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var copied = 0
        var index = 0
        // The blank behind the word is the rarest of its characters in a line of JSON.
        while let blank = find([32], in: lines, from: index) {
            index = blank + 1
            guard blank >= word.count,
                zip(word, lines[(blank - word.count)..<blank]).allSatisfy({ $0 == $1 | 32 })
            else { continue }
            let stop = lines[index...].firstIndex { ends.contains($0) } ?? lines.count
            guard stop > index else { continue }
            out += lines[copied..<index]
            out += mark
            copied = stop
            index = stop
        }
        return copied == 0 ? lines : out + lines[copied...]
    }

    private static let word = Array("bearer".utf8)
    private static let ends = Array(" \"\\,\n".utf8)
    private static let mark = Array("[redacted]".utf8)

    /// Where `word` begins in `lines` from `start` on.
    private static func find(_ word: [UInt8], in lines: [UInt8], from start: Int) -> Int? {
        lines.withUnsafeBytes { lines -> Int? in
            guard let base = lines.baseAddress, let first = word.first else { return nil }
            var index = start
            while lines.count - index >= word.count {
                // SAFETY: as many bytes as are left, which is not less than the word's.
                guard let found = memchr(base + index, Int32(first), lines.count - index - word.count + 1)
                else { return nil }
                index = UnsafeRawPointer(found) - base
                if memcmp(found, word, word.count) == 0 { return index }
                index += 1
            }
            return nil
        }
    }
}
