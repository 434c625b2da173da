import FunctionCore

/// Puts together the head of a reply from the lines that libcurl passes on, one call a line.
struct HeaderCollector {
    /// What a line completed.
    enum Step: Equatable {
        /// More lines follow.
        case partial
        /// The blank line after a final status: the head is complete.
        case complete
        /// The lines are more than any honest server sends.
        case tooLarge
    }

    /// All header lines of one reply together.
    static let limit = 64 * 1024

    private(set) var status = 0
    private(set) var headers: [Header] = []
    private var isComplete = false
    private var size = 0

    /// Takes one line with its line end.
    mutating func take(_ line: some Sequence<UInt8>) -> Step {
        let bytes = Array(line)
        size += bytes.count
        guard size <= HeaderCollector.limit else { return .tooLarge }
        let text = HeaderCollector.trimmed(bytes[...])
        if text.starts(with: "HTTP/".utf8) {
            // A new head: the one after 100 Continue, or the only one.
            let words = text.split(separator: 32, maxSplits: 2)
            status = words.count > 1 ? Int(String(decoding: words[1], as: UTF8.self)) ?? 0 : 0
            headers = []
            isComplete = false
            return .partial
        }
        if text.isEmpty {
            guard status >= 200, !isComplete else { return .partial }
            isComplete = true
            return .complete
        }
        // Trailers after the body are not looked at.
        guard !isComplete, let colon = text.firstIndex(of: 58) else { return .partial }
        let name = String(decoding: text[..<colon], as: UTF8.self)
        let value = HeaderCollector.trimmed(text[text.index(after: colon)...])
        headers.append(Header(name.lowercased(), String(decoding: value, as: UTF8.self)))
        return .partial
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace: (UInt8) -> Bool = { $0 == 32 || $0 == 9 || $0 == 13 || $0 == 10 }
        var bytes = bytes.drop(while: isSpace)
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        return bytes
    }
}
