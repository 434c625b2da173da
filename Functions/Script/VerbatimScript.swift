import FunctionCore

/// Makes a script of somebody's own text, word for word: it is cut into scenes, and nothing else is done to
/// it.
struct VerbatimScript: Sendable {
    let draft: ScriptDraft
    let deciseconds: [Int]

    /// Cuts `text`.
    ///
    /// Without a length asked for, it gets the time that a calm narrator takes.
    /// - Throws: `FunctionError` 422 for a text that cannot be spoken in the time, or takes over 300 seconds.
    init(_ text: String, for request: ScriptRequest) throws(FunctionError) {
        let words = ScriptText.wordCount(text)
        let needed = (words * 600 + ScenePlan.wordsPerMinute - 1) / ScenePlan.wordsPerMinute
        let least = ScenePlan.shortestScene * (request.scenes ?? 1)
        let total = request.lengthGiven ? request.deciseconds : max(needed, least)
        let limit = request.lengthGiven ? total * 11 / 10 : 3000
        guard needed <= limit else {
            let takes =
                "text has \(words) words, which take \(needed / 10) seconds at "
                + "\(ScenePlan.wordsPerMinute) words a minute"
            throw .invalid(
                "text",
                "length",
                "\(takes); it may take \(limit / 10), so shorten it or allow more seconds"
            )
        }
        // Five seconds a scene, where nobody asks for a number; never more scenes than there is room for.
        let wished = request.scenes ?? min(request.structure.beats.count, max(1, total / 50))
        let pieces = ScriptText.pieces(text, count: min(wished, max(1, total / ScenePlan.shortestScene)))
        deciseconds = ScenePlan.allot(
            total,
            by: pieces.map { max(1, ScriptText.wordCount($0)) },
            least: ScenePlan.shortestScene
        )
        let scenes = pieces.enumerated().map { index, piece in
            ScriptDraft.Scene(
                beat: "part \(index + 1)",
                title: VerbatimScript.opening(of: piece, words: 6),
                narration: piece,
                visualPrompt: VerbatimScript.opening(of: piece, words: 40)
            )
        }
        draft = ScriptDraft(
            title: request.title ?? VerbatimScript.opening(of: text, words: 8),
            scenes: scenes
        )
    }

    /// The first words of a text, on one line.
    private static func opening(of text: String, words: Int) -> String {
        let all = text.split(whereSeparator: \.isWhitespace)
        let shown = all.prefix(words).joined(separator: " ")
        return String((all.count > words ? shown + " …" : shown).prefix(300))
    }
}
