import FunctionCore

/// The rule for blobs' keys: a known first segment, then segments of letters, digits and `. _ -`.
package struct BlobKey: Sendable, Hashable {
    /// The longest key, in bytes.
    package static let limit = 512
    /// What a key may begin with; `results/` is the host's, for jobs.
    package static let roots = ["inputs/", "outputs/", "references/", "temp/", "results/"]

    package let text: String

    /// Checks a key.
    /// - Throws: `FunctionError` 422 naming the rule.
    package init(_ text: String) throws {
        if let (rule, message) = Self.fault(text) { throw FunctionError.invalid("key", rule, message) }
        self.text = text
    }

    /// Whether the blob goes when its invocation's job ends.
    package var isTemporary: Bool { text.hasPrefix("temp/") }

    /// The invocation that `temp/{invocation}/…` names.
    var namedInvocation: String? {
        let segments = text.split(separator: "/")
        return isTemporary && segments.count > 2 ? String(segments[1]) : nil
    }

    /// `.png` of `outputs/1/a.png`, so that programs that go by it can read the file; empty without one.
    var suffix: String {
        guard let last = text.split(separator: "/").last, let dot = last.lastIndex(of: ".") else { return "" }
        let letters = last[last.index(after: dot)...].utf8
        let isPlain = letters.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
        return (1...8).contains(letters.count) && isPlain ? String(last[dot...]) : ""
    }

    private static func fault(_ text: String) -> (rule: String, message: String)? {
        guard text.utf8.count <= limit else {
            return ("length", "key has \(text.utf8.count) bytes and may have \(limit); choose a shorter one")
        }
        guard roots.contains(where: { text.hasPrefix($0) }) else {
            return (
                "prefix", "key must begin with \(roots.joined(separator: ", ")); put one of them before it"
            )
        }
        for segment in text.split(separator: "/", omittingEmptySubsequences: false) {
            if segment.isEmpty {
                return (
                    "segment",
                    "key has an empty segment; write one slash between two names, and none at the end"
                )
            }
            if segment.utf8.allSatisfy({ $0 == UInt8(ascii: ".") }) {
                return ("segment", "key has a segment of dots only; name the place in full")
            }
            guard segment.utf8.allSatisfy(isAllowed) else {
                return (
                    "characters", "key may hold letters, digits and . _ - between slashes; replace the others"
                )
            }
        }
        return nil
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
