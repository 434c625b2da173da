import FunctionCore

/// A script as the model wrote it, held against the plan.
struct ScriptDraft: Sendable {
    /// One scene's texts.
    struct Scene: Sendable {
        var beat: String
        var title: String
        var narration: String
        var visualPrompt: String
    }

    private(set) var title = ""
    private(set) var scenes: [Scene] = []
    /// What is wrong, each with its place; none for a script that can be used.
    private(set) var faults: [String] = []

    init(title: String, scenes: [Scene]) {
        self.title = title
        self.scenes = scenes
    }

    /// Reads an answer and checks it against `plan`; every fault is noted, so that one repair can mend them
    /// all.
    init(_ answer: String, plan: ScenePlan) {
        guard let json = ScriptDraft.object(in: answer) else {
            faults = ["the answer is not one JSON object"]
            return
        }
        title = text(json["title"], "title")
        guard let list = json["scenes"]?.arrayValue else {
            faults.append("scenes: must be a list")
            return
        }
        if list.count != plan.scenes.count {
            faults.append("scenes: there are \(list.count), but \(plan.scenes.count) beats; write one a beat")
        }
        for (index, (json, planned)) in zip(list, plan.scenes).enumerated() {
            let place = "scenes[\(index)]"
            let scene = Scene(
                beat: text(json["beat"], "\(place).beat"),
                title: text(json["title"], "\(place).title"),
                narration: text(json["narration"], "\(place).narration"),
                visualPrompt: text(json["visual_prompt"], "\(place).visual_prompt")
            )
            if !scene.beat.isEmpty, scene.beat.lowercased() != planned.beat.lowercased() {
                faults.append("\(place).beat: must be \"\(planned.beat)\", not \"\(scene.beat.prefix(60))\"")
            }
            let words = ScriptText.wordCount(scene.narration)
            if words > 0, !planned.accepted.contains(words) {
                let (least, most) = (planned.accepted.lowerBound, planned.accepted.upperBound)
                faults.append("\(place).narration: has \(words) words, must have \(least) to \(most)")
            }
            scenes.append(scene)
        }
        let words = scenes.map { ScriptText.wordCount($0.narration) }.reduce(0, +)
        if list.count == plan.scenes.count, words > 0, !plan.accepted.contains(words) {
            let (least, most) = (plan.accepted.lowerBound, plan.accepted.upperBound)
            faults.append("scenes: have \(words) words in all, must have \(least) to \(most)")
        }
    }

    private mutating func text(_ json: JSON?, _ place: String) -> String {
        guard let text = json?.stringValue else {
            faults.append("\(place): must be a text")
            return ""
        }
        if !text.contains(where: { $0.isLetter || $0.isNumber }) {
            faults.append("\(place): must not be empty")
        }
        if let gap = ScriptDraft.placeholder(in: text) {
            faults.append("\(place): holds the placeholder \"\(gap)\"; write what belongs there")
        }
        return text
    }

    /// The object in an answer, which some models wrap into a fence or a sentence.
    private static func object(in answer: String) -> JSON? {
        guard let first = answer.utf8.firstIndex(of: UInt8(ascii: "{")),
            let last = answer.utf8.lastIndex(of: UInt8(ascii: "}")), first < last,
            let json = try? JSON.parse(Bytes(String(answer[first...last]))), json.objectValue != nil
        else { return nil }
        return json
    }

    /// A gap that the model left for somebody else to fill, if there is one.
    private static func placeholder(in text: String) -> String? {
        for (open, close) in [("[", "]"), ("{", "}"), ("<", ">")] as [(Character, Character)] {
            if let start = text.firstIndex(of: open), let end = text[start...].firstIndex(of: close) {
                return String(text[start...end].prefix(60))
            }
        }
        let words = ScriptText.words(text)
        for (left, right) in zip(words, words.dropFirst()) where left == "lorem" && right == "ipsum" {
            return "lorem ipsum"
        }
        return ["TODO", "TBD", "FIXME", "XXX"].first { mark in
            text.split { !$0.isLetter }.contains { $0 == mark }
        }
    }
}
