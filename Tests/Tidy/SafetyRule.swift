/// What the compiler cannot check says in a `// SAFETY:` line just before it why it holds.
enum SafetyRule {
    private static let constructs = [
        "@unchecked Sendable", "nonisolated(unsafe)", "Unmanaged", "withMemoryRebound", "unsafeBitCast",
        "assumingMemoryBound",
    ].map { Word($0) }
    private static let reason = Word("SAFETY:")
    /// How far above the construct the line may stand.
    private static let reach = 3

    static func violations(in source: SourceText, of path: String) -> [Violation] {
        source.code.indices.compactMap { index in
            guard let construct = constructs.first(where: { $0.isIn(source.code[index]) }) else { return nil }
            let above = source.lines[max(0, index - reach)...index]
            guard !above.contains(where: { reason.isIn($0) }) else { return nil }
            return Violation(
                path: path,
                line: index + 1,
                rule: "`\(construct.text)` without a reason",
                fix: "say in a line `// SAFETY: …` before it why it is sound"
            )
        }
    }
}
