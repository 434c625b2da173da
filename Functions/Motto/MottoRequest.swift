import FunctionCore

/// What a caller asks for, checked: an instance keeps all rules.
struct MottoRequest: Sendable {
    var prompt: String
    var tone: Tone
    var count: Int
    var maxCharacters: Int

    /// Reads the event's object.
    ///
    /// - Throws: `FunctionError` 422 with every fault at once.
    init(_ object: JSON) throws {
        var faults: [Fault] = []
        let prompt = MottoRequest.prompt(object["prompt"], &faults)
        let tone = MottoRequest.tone(object["tone"], &faults)
        count = MottoRequest.number(object, "count", 1...10, otherwise: 3, &faults)
        maxCharacters = MottoRequest.number(object, "max_characters", 20...200, otherwise: 80, &faults)
        guard faults.isEmpty, let prompt, let tone else {
            var error = FunctionError.invalid(faults)
            // A caller that offers tones in a menu wants to tell this case from the rest.
            if faults.count == 1, faults[0].rule == "unknown_tone" { error.code = "unknown_tone" }
            throw error
        }
        self.prompt = prompt
        self.tone = tone
    }

    private static func prompt(_ value: JSON?, _ faults: inout [Fault]) -> String? {
        guard let value, !value.isNull else {
            faults.append(Fault("prompt", "required", "prompt is required: say what the motto is for"))
            return nil
        }
        guard let text = value.stringValue else {
            faults.append(Fault("prompt", "type", "prompt must be a string"))
            return nil
        }
        let trimmed = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard (1...2000).contains(trimmed.count) else {
            faults.append(
                Fault("prompt", "length", "prompt must have 1 to 2000 characters; it has \(trimmed.count)")
            )
            return nil
        }
        return trimmed
    }

    private static func tone(_ value: JSON?, _ faults: inout [Fault]) -> Tone? {
        guard let value, !value.isNull else {
            faults.append(Fault("tone", "required", "tone is required; known are \(Tone.names)"))
            return nil
        }
        guard let name = value.stringValue else {
            faults.append(Fault("tone", "type", "tone must be a string; known are \(Tone.names)"))
            return nil
        }
        guard let tone = Tone.named(name) else {
            faults.append(Fault("tone", "unknown_tone", "tone is not known; known are \(Tone.names)"))
            return nil
        }
        return tone
    }

    private static func number(
        _ object: JSON,
        _ name: String,
        _ range: ClosedRange<Int>,
        otherwise: Int,
        _ faults: inout [Fault]
    ) -> Int {
        guard let value = object[name], !value.isNull else { return otherwise }
        guard let number = value.intValue else {
            faults.append(Fault(name, "type", "\(name) must be a whole number"))
            return otherwise
        }
        guard range.contains(number) else {
            let rule = "\(name) must be \(range.lowerBound) to \(range.upperBound); it is \(number)"
            faults.append(Fault(name, "range", rule))
            return otherwise
        }
        return number
    }
}
