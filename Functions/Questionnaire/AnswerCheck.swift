import FunctionCore

/// Goes through all answers of one submission and gathers every fault, so that nobody has to send a form five
/// times to learn of five faults.
struct AnswerCheck {
    /// The day it is, for bounds that say `today`.
    let today: String
    private(set) var faults: [Fault] = []
    /// The paths of answers to hidden questions, which are not kept.
    private(set) var dropped: [String] = []

    init(today: String) {
        self.today = today
    }

    mutating func report(_ fault: Fault) {
        faults.append(fault)
    }

    /// The user's number, or nil and a fault.
    mutating func user(_ json: JSON?) -> Int? {
        if let user = json?.intValue, user >= 1 { return user }
        let rule = json == nil ? "required" : json?.intValue == nil ? "type" : "range"
        report(Fault("user", rule, "user must be a whole number from 1"))
        return nil
    }

    /// The answers that count: to visible questions, without the empty ones, in the definition's order.
    ///
    /// Whether a question is visible is decided by the answers to visible questions alone, so that what a
    /// hidden answer would have shown is hidden with it.
    mutating func keep(_ answers: JSONObject, of set: QuestionSet, at path: String) -> JSONObject {
        var visible = JSONObject()
        var shown: Set<Int> = []
        for position in set.order {
            let question = set.questions[position]
            guard question.visibleIf?.holds(visible) ?? true else { continue }
            shown.insert(position)
            if let answer = answers[question.id], !AnswerCheck.isEmpty(answer) {
                visible[question.id] = answer
            }
        }
        var kept = JSONObject()
        for (position, question) in set.questions.enumerated() {
            let place = "\(path).\(question.id)"
            guard shown.contains(position) else {
                if answers.contains(key: question.id) { dropped.append(place) }
                continue
            }
            if let answer = visible[question.id] {
                kept[question.id] = value(answer, of: question, at: place)
            } else if question.required {
                fault(place, "required", "must be answered: \(question.title)", question)
            }
        }
        let known = Set(set.questions.map(\.id))
        for name in answers.keys where !known.contains(name) {
            let names = set.questions.map(\.id).joined(separator: ", ")
            report(
                Fault(
                    "\(path).\(name)",
                    "unknown",
                    "\(name.prefix(60)) is no question here; there are \(names)"
                )
            )
        }
        return kept
    }

    /// Whether an answer says nothing: null, an empty list, white space only.
    private static func isEmpty(_ answer: JSON) -> Bool {
        switch answer {
        case .null: true
        case .array(let elements): elements.isEmpty
        case .string(let text): text.allSatisfy(\.isWhitespace)
        default: false
        }
    }

    /// The answer as it is kept; what is wrong with it is reported.
    private mutating func value(_ answer: JSON, of question: Question, at place: String) -> JSON {
        switch question.kind {
        case .text(let length, let pattern, let lines):
            text(answer, length, pattern, lines, question, place)
        case .number(let least, let most, let whole):
            number(answer, least, most, whole, question, place)
        case .date(let earliest, let latest): date(answer, earliest, latest, question, place)
        case .email:
            if let text = answer.stringValue {
                if !EmailAddress.isValid(text) {
                    fault(place, "email", "must be an e-mail address such as name@example.org", question)
                }
            } else {
                type(place, "an e-mail address as text", question)
            }
        case .boolean:
            if answer.boolValue == nil { type(place, "true or false", question) }
        case .rating(let range):
            if let mark = answer.intValue {
                if !range.contains(mark) {
                    let bounds = "\(range.lowerBound) to \(range.upperBound)"
                    fault(place, "range", "must be a mark from \(bounds), not \(mark)", question)
                }
            } else {
                type(place, "a whole number", question)
            }
        case .single(let choices, let other):
            if !isOther(answer, other) { choice(answer, choices, question, place) }
        case .multi(let choices, let other, let count): multi(answer, choices, other, count, question, place)
        case .ranking(let choices): ranking(answer, choices, question, place)
        case .matrix(let rows, let columns): matrix(answer, rows, columns, question, place)
        case .group(let count, let questions): return group(answer, count, questions, question, place)
        }
        return answer
    }

    private mutating func group(
        _ answer: JSON,
        _ count: ClosedRange<Int>,
        _ questions: QuestionSet,
        _ question: Question,
        _ place: String
    ) -> JSON {
        guard let entries = answer.arrayValue else {
            type(place, "a list of objects", question)
            return answer
        }
        within(entries.count, count, "entries", question, place)
        var kept: [JSON] = []
        for (index, entry) in entries.prefix(count.upperBound).enumerated() {
            let spot = "\(place)[\(index)]"
            if let object = entry.objectValue {
                kept.append(.object(keep(object, of: questions, at: spot)))
            } else {
                type(spot, "an object of answers", question)
            }
        }
        return .array(kept)
    }

    // MARK: - Reporting

    /// Reports a fault of the answer at `place`; the definition's own message has precedence.
    mutating func fault(_ place: String, _ rule: String, _ message: String, _ question: Question) {
        report(Fault(place, rule, question.message ?? "\(question.id) \(message)"))
    }

    mutating func type(_ place: String, _ wanted: String, _ question: Question) {
        fault(place, "type", "must be \(wanted)", question)
    }

    /// Reports a count outside its bounds.
    mutating func within(
        _ count: Int,
        _ range: ClosedRange<Int>,
        _ unit: String,
        _ question: Question,
        _ place: String,
        rule: String = "count"
    ) {
        guard !range.contains(count) else { return }
        let bounds = range.lowerBound == range.upperBound ? "\(range.lowerBound)" : AnswerCheck.words(range)
        fault(place, rule, "must have \(bounds) \(unit), not \(count)", question)
    }

    private static func words(_ range: ClosedRange<Int>) -> String {
        range.lowerBound == 0 ? "at most \(range.upperBound)" : "\(range.lowerBound) to \(range.upperBound)"
    }
}
