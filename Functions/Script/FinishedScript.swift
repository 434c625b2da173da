import FunctionCore

/// A script as it is stored and answered: the contract with `video`.
struct FinishedScript: Sendable {
    var id: String
    var request: ScriptRequest
    /// The answers it was made from, where they are stored.
    var answers: String?
    var draft: ScriptDraft
    /// The length of each scene.
    var deciseconds: [Int]
    var facts: StoryFacts
    var model: String
    var offline: Bool
    /// How often the model was asked.
    var calls: Int

    /// The length of the whole, in seconds.
    var seconds: Double { Double(deciseconds.reduce(0, +)) / 10 }

    /// The record.
    ///
    /// Each scene names the facts its narration speaks of, and `facts` sums them up.
    func json(now: Instant) -> JSON {
        var start = 0
        var used: Set<String> = []
        var scenes: [JSON] = []
        for (index, (scene, length)) in zip(draft.scenes, deciseconds).enumerated() {
            let spoken = facts.used(in: scene.narration)
            used.formUnion(spoken)
            scenes.append([
                "id": .string("scene-\(index + 1)"),
                "beat": .string(scene.beat),
                "title": .string(scene.title),
                "narration": .string(scene.narration),
                "visual_prompt": .string(scene.visualPrompt),
                "start": .number(Double(start) / 10),
                "seconds": .number(Double(length) / 10),
                "facts": .array(spoken.map { .string($0) }),
            ])
            start += length
        }
        let words = draft.scenes.map { ScriptText.wordCount($0.narration) }.reduce(0, +)
        let spokenTenths = (words * 600 + ScenePlan.wordsPerMinute / 2) / ScenePlan.wordsPerMinute
        let names = facts.facts.keys
        return [
            "id": .string(id),
            "user": .integer(Int64(request.user)),
            "answers": answers.map { .string($0) } ?? .null,
            "title": .string(draft.title),
            "structure": .string(request.structure.name),
            "mode": request.verbatim == nil ? "generate" : "verbatim",
            "language": .string(request.language),
            "seconds": .number(seconds),
            "estimated_seconds": .number(Double(spokenTenths) / 10),
            "words": .integer(Int64(words)),
            "scenes": .array(scenes),
            "facts": [
                "used": .array(names.filter { used.contains($0) }.map { .string($0) }),
                "unused": .array(names.filter { !used.contains($0) }.map { .string($0) }),
            ],
            "offline": .bool(offline),
            "model": .string(model),
            "calls": .integer(Int64(calls)),
            "created": .string(now.rfc3339),
        ]
    }
}
