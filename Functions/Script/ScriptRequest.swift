import FunctionCore

/// What is asked for, checked.
struct ScriptRequest: Sendable {
    /// Where the facts come from.
    enum Source: Sendable {
        /// The answers of that id.
        case stored(String)
        /// Answers that came along.
        case given(JSONObject)
        /// The user's newest answers, if there are any.
        case newest
    }

    var user: Int
    var source: Source
    var structure = PlotStructure.threeAct
    var deciseconds = 300
    /// Whether somebody chose the length.
    var lengthGiven = false
    var language = "en"
    var title: String?
    var scenes: Int?
    /// The text to be used word for word, in the mode `verbatim`.
    var verbatim: String?
    var dryRun = false

    init(user: Int, source: Source) {
        self.user = user
        self.source = source
    }

    /// Reads a request.
    /// - Throws: `FunctionError` 422 with all faults.
    init(_ object: JSON) throws(FunctionError) {
        var faults: [Fault] = []
        let user = object["user"]?.intValue ?? 0
        if user < 1 { faults.append(Fault("user", "range", "user must be a whole number from 1")) }
        self.init(user: user, source: .newest)
        switch object["answers"] ?? .null {
        case .null: source = .newest
        case .string(let id) where !id.isEmpty: source = .stored(id)
        case .object(let answers): source = .given(answers)
        default:
            let message = "answers must be the id of stored answers, or an object of answers by question"
            faults.append(Fault("answers", "type", message))
        }
        readLength(object, &faults)
        readText(object, &faults)
        guard faults.isEmpty else { throw .invalid(faults) }
    }

    private mutating func readLength(_ object: JSON, _ faults: inout [Fault]) {
        if let value = object["seconds"], !value.isNull {
            lengthGiven = true
            if let seconds = value.doubleValue, (15...300).contains(seconds) {
                deciseconds = Int((seconds * 10).rounded())
            } else {
                faults.append(Fault("seconds", "range", "seconds must be a number from 15 to 300"))
            }
        }
        if let value = object["scenes"], !value.isNull {
            let most = min(ScenePlan.mostScenes, deciseconds / ScenePlan.shortestScene)
            if let count = value.intValue, (1...most).contains(count) {
                scenes = count
            } else {
                let message = "scenes must be a whole number from 1 to \(most), at 3 seconds each or more"
                faults.append(Fault("scenes", "range", message))
            }
        }
        if let value = object["structure"], !value.isNull {
            if let found = value.stringValue.flatMap({ PlotStructure.named($0) }) {
                structure = found
            } else {
                let known = PlotStructure.all.map(\.name).joined(separator: ", ")
                faults.append(Fault("structure", "choices", "structure must be one of \(known)"))
            }
        }
        dryRun = object["dry_run"].map { $0 == true || $0 == 1 || $0 == "true" } ?? false
    }

    private mutating func readText(_ object: JSON, _ faults: inout [Fault]) {
        if let value = object["language"], !value.isNull {
            if let tag = value.stringValue, ScriptRequest.isLanguage(tag) {
                language = tag
            } else {
                faults.append(Fault("language", "pattern", "language must be a tag such as en or pt-BR"))
            }
        }
        if let value = object["title"], !value.isNull {
            if let text = value.stringValue, (1...120).contains(text.count), !text.allSatisfy(\.isWhitespace)
            {
                title = text
            } else {
                faults.append(Fault("title", "length", "title must be a text of 1 to 120 characters"))
            }
        }
        switch object["mode"] ?? "generate" {
        case "generate", .null:
            if let text = object["text"], !text.isNull {
                faults.append(Fault("text", "mode", "text is used in the mode verbatim only"))
            }
        case "verbatim":
            if let text = object["text"]?.stringValue, ScriptText.wordCount(text) > 0, text.count <= 10_000 {
                verbatim = text
            } else {
                faults.append(Fault("text", "required", "text must be a text of 1 to 10000 characters"))
            }
        default: faults.append(Fault("mode", "choices", "mode must be generate or verbatim"))
        }
    }

    private static func isLanguage(_ tag: String) -> Bool {
        let parts = tag.split(separator: "-", omittingEmptySubsequences: false)
        return tag.utf8.count <= 35 && (2...3).contains(parts[0].utf8.count)
            && parts.allSatisfy { part in
                (1...8).contains(part.utf8.count)
                    && part.utf8.allSatisfy { ($0 | 32) >= 97 && ($0 | 32) <= 122 || (48...57).contains($0) }
            }
    }
}
