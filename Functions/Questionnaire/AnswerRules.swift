import FunctionCore

// The rules of each kind of question. A fault's path, rule and words come from here; `AnswerCheck` gathers
// them.

extension AnswerCheck {
    mutating func text(
        _ answer: JSON,
        _ length: ClosedRange<Int>,
        _ pattern: TextPattern?,
        _ lines: Bool,
        _ question: Question,
        _ place: String
    ) {
        guard let text = answer.stringValue else { return type(place, "text", question) }
        within(text.count, length, "characters", question, place, rule: "length")
        if !lines, text.contains(where: \.isNewline) {
            fault(place, "line", "must be one line", question)
        }
        if let pattern, length.contains(text.count), !pattern.matches(text) {
            fault(place, "pattern", "must fit \(pattern.text)", question)
        }
    }

    mutating func number(
        _ answer: JSON,
        _ least: Double?,
        _ most: Double?,
        _ whole: Bool,
        _ question: Question,
        _ place: String
    ) {
        guard let number = answer.doubleValue, number.isFinite else {
            return type(place, whole ? "a whole number" : "a number", question)
        }
        if whole, answer.intValue == nil { return type(place, "a whole number", question) }
        let low = least.map { number < $0 } ?? false
        let high = most.map { number > $0 } ?? false
        guard low || high else { return }
        let bounds =
            switch (least, most) {
            case (let least?, let most?): "from \(AnswerCheck.plain(least)) to \(AnswerCheck.plain(most))"
            case (let least?, nil): "\(AnswerCheck.plain(least)) or more"
            default: "at most \(AnswerCheck.plain(most ?? 0))"
            }
        fault(place, "range", "must be \(bounds), not \(AnswerCheck.plain(number))", question)
    }

    mutating func date(
        _ answer: JSON,
        _ earliest: String?,
        _ latest: String?,
        _ question: Question,
        _ place: String
    ) {
        guard let day = answer.stringValue else { return type(place, "a day as text, YYYY-MM-DD", question) }
        guard Question.isDay(day) else {
            return fault(place, "date", "must be a day of the calendar, such as 2020-02-29", question)
        }
        let first = earliest == "today" ? today : earliest
        let last = latest == "today" ? today : latest
        if let first, day < first { fault(place, "range", "must be \(first) or later", question) }
        if let last, day > last { fault(place, "range", "must be \(last) or earlier", question) }
    }

    mutating func choice(_ answer: JSON, _ choices: [String], _ question: Question, _ place: String) {
        guard let value = answer.stringValue else {
            return type(place, "one of the choices, as text", question)
        }
        guard !choices.contains(value) else { return }
        fault(place, "choices", "must be one of \(choices.joined(separator: ", "))", question)
    }

    /// Whether an answer is `{"other": "…"}`, where the question allows one of one's own.
    func isOther(_ answer: JSON, _ allowed: Bool) -> Bool {
        guard allowed, let object = answer.objectValue, object.count == 1,
            let text = object["other"]?.stringValue
        else { return false }
        return (1...200).contains(text.count) && !text.allSatisfy(\.isWhitespace)
    }

    mutating func multi(
        _ answer: JSON,
        _ choices: [String],
        _ other: Bool,
        _ count: ClosedRange<Int>,
        _ question: Question,
        _ place: String
    ) {
        guard let values = answer.arrayValue else { return type(place, "a list of choices", question) }
        within(values.count, count, "choices", question, place)
        for (index, value) in values.prefix(choices.count + 1).enumerated() where !isOther(value, other) {
            choice(value, choices, question, "\(place)[\(index)]")
        }
        if Set(values).count < values.count { fault(place, "unique", "must name no choice twice", question) }
    }

    mutating func ranking(_ answer: JSON, _ choices: [String], _ question: Question, _ place: String) {
        guard let values = answer.arrayValue else {
            return type(place, "a list of all choices, the dearest first", question)
        }
        guard values.count != choices.count || Set(values) != Set(choices.map { JSON.string($0) }) else {
            return
        }
        fault(place, "ranking", "must name each of \(choices.joined(separator: ", ")) once", question)
    }

    mutating func matrix(
        _ answer: JSON,
        _ rows: [String],
        _ columns: [String],
        _ question: Question,
        _ place: String
    ) {
        guard let cells = answer.objectValue else {
            return type(place, "an object of columns by row", question)
        }
        for row in rows {
            if let cell = cells[row] {
                choice(cell, columns, question, "\(place).\(row)")
            } else {
                fault("\(place).\(row)", "required", "must be answered in every row", question)
            }
        }
        for row in cells.keys where !rows.contains(row) {
            let message = "has no row \(row.prefix(60)); there are \(rows.joined(separator: ", "))"
            fault("\(place).\(row)", "unknown", message, question)
        }
    }

    /// A number without a needless fraction.
    private static func plain(_ number: Double) -> String {
        Int(exactly: number).map { String($0) } ?? number.description
    }
}

/// What passes for an e-mail address: enough to catch a slip, without refusing what a mail server might take.
enum EmailAddress {
    static func isValid(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, text.utf8.count <= 254, (1...64).contains(parts[0].utf8.count),
            !text.contains(where: { $0.isWhitespace || "<>(),;:\\\"[]".contains($0) }),
            !parts[0].hasPrefix("."), !parts[0].hasSuffix("."), !text.contains("..")
        else { return false }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" }
            } && (labels.last?.count ?? 0) >= 2
    }
}
