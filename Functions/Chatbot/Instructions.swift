import FunctionCore

/// What a bot is told before every conversation.
struct Instructions: Sendable, Hashable {
    /// How fresh they are.
    enum Source: String, Sendable {
        /// Read from Redis for this very reply.
        case current
        /// The last that this worker read; Redis is away.
        case stale
        /// Nobody has set any, or Redis is away and this worker has read none.
        case builtIn = "default"
    }

    var text: String
    var version: String
    var source: Source

    static let builtIn = Instructions(
        text: "You are a helpful assistant. Answer briefly, truthfully and in the language of the question.",
        version: "default",
        source: .builtIn
    )

    /// Names the version in every reply.
    var fingerprint: String { "instructions-\(version)" }

    /// Tells where they come from.
    var header: Header { Header("x-instructions", source.rawValue) }

    /// Instructions from the fields of a hash; nil where it has no `text`.
    init?(fields: [String: String]) {
        guard let text = fields["text"] else { return nil }
        self.text = text
        self.source = .current
        // An operator who sets the text alone still sees in the next reply that it has changed.
        self.version = fields["version"].map(Instructions.plain) ?? Instructions.digest(text)
    }

    init(text: String, version: String, source: Source) {
        self.text = text
        self.version = version
        self.source = source
    }

    /// A version goes into every chunk, so it is kept short and printable.
    private static func plain(_ version: String) -> String {
        String(version.filter { $0.isASCII && !$0.isWhitespace && $0.asciiValue ?? 0 > 32 }.prefix(64))
    }

    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
        return "text-" + String(hash, radix: 16)
    }
}
