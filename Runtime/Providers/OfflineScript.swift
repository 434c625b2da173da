import FunctionCore

/// Writes the document of the schema `script` from the brief in the conversation: one scene a beat, each with
/// exactly the words that the beat asks for, and every fact used where there is room.
///
/// A request for a repair carries the brief in an earlier message; the document is then written anew from it,
/// which is always a correct one.
struct OfflineScript {
    private struct Beat {
        var name: String
        var purpose: String
        var words: Int
    }

    private let beats: [Beat]
    private let facts: [OfflineFact]
    private let hero: String
    private let hint: String
    private let seedText: String

    /// Finds the brief: the last object with `beats` in the messages of the user.
    init?(_ messages: [ChatMessage]) {
        let texts = messages.filter { $0.role != "assistant" }.map { OfflineText.withoutMarks($0.content) }
        let briefs = texts.reversed().flatMap { OfflineText.objects(in: $0) }.filter { $0["beats"] != nil }
        guard let brief = briefs.first, let list = brief["beats"]?.arrayValue else { return nil }
        beats = list.enumerated().map { index, beat in
            let seconds = beat["seconds"]?.doubleValue ?? 10
            return Beat(
                name: beat["name"]?.stringValue ?? "beat \(index + 1)",
                purpose: beat["purpose"]?.stringValue ?? "",
                words: max(1, beat["words"]?.intValue ?? Int(seconds * 2.4))
            )
        }
        var facts = OfflineFact.all(in: brief["facts"] ?? [:])
        let characters = (brief["characters"]?.arrayValue ?? []).compactMap { character in
            character.stringValue ?? character["name"]?.stringValue
        }
        let named = facts.first { $0.kind == .name }?.value
        let hero = named ?? characters.first ?? "our hero"
        for name in characters where name != hero && !facts.contains(where: { $0.value.contains(name) }) {
            facts.append(OfflineFact(kind: .companion, value: name))
        }
        facts.removeAll { $0.kind == .name && $0.value == hero }
        self.facts = facts
        self.hero = hero
        hint = brief["title_hint"]?.stringValue ?? ""
        seedText = brief.text
    }

    func document() -> JSON {
        var seed = OfflineSeed(seedText)
        var writer = OfflineNarrator(hero: hero, seed: OfflineSeed(value: seed.next()))
        var waiting = facts
        var scenes: [JSON] = []
        for (index, beat) in beats.enumerated() {
            // What is left is spread over what is to come, and an early scene never takes more than its
            // share.
            let share = (waiting.count + beats.count - index - 1) / (beats.count - index)
            var own = Array(waiting.prefix(share))
            waiting.removeFirst(own.count)
            if own.isEmpty, !facts.isEmpty { own = [facts[index % facts.count]] }
            let phase = OfflinePhase(beat.purpose, index: index, count: beats.count)
            let result = writer.narration(words: beat.words, phase: phase, facts: own)
            waiting = result.unused.filter { fact in facts.contains(fact) } + waiting
            scenes.append([
                "beat": .string(beat.name),
                "title": .string(title(beat, own.first, phase, &seed)),
                "narration": .string(result.text),
                "visual_prompt": .string(visual(beat, own, phase, &seed)),
            ])
        }
        return ["title": .string(title(&seed)), "scenes": .array(scenes)]
    }

    private func title(_ seed: inout OfflineSeed) -> String {
        if !hint.isEmpty { return OfflineText.firstSentence(hint) }
        let subject = facts.first { $0.kind == .wish || $0.kind == .place }?.short ?? "the long way home"
        let name = hero == "our hero" ? "A Story" : hero
        return seed.pick(["\(name) and \(subject)", "\(name): \(subject)", "What \(name) Found"])
    }

    private func title(
        _ beat: Beat,
        _ fact: OfflineFact?,
        _ phase: OfflinePhase,
        _ seed: inout OfflineSeed
    ) -> String {
        guard let fact, OfflineText.words(fact.value).count <= 4 else { return seed.pick(phase.titles) }
        let subject = fact.value.prefix(1).uppercased() + fact.value.dropFirst()
        return seed.pick(["\(seed.pick(phase.titles)): \(subject)", subject, seed.pick(phase.titles)])
    }

    private func visual(
        _ beat: Beat,
        _ own: [OfflineFact],
        _ phase: OfflinePhase,
        _ seed: inout OfflineSeed
    ) -> String {
        let place = facts.first { $0.kind == .place }?.short ?? "an open landscape"
        let things = own.map(\.short).filter { $0 != place && $0.split(separator: " ").count < 6 }.prefix(2)
            .joined(separator: " and ")
        let with = things.isEmpty ? "" : " with \(things)"
        let style = seed.pick([
            "soft film grain", "painted illustration", "wide cinematic frame", "warm watercolour",
        ])
        return "\(hero) in \(place)\(with), \(seed.pick(phase.moods)), \(style)"
    }
}
