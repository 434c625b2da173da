import FunctionCore

/// One question: what is asked, which answers are right, and when it is asked at all.
struct Question: Sendable {
    /// What an answer has to be.
    enum Kind: Sendable {
        /// Text of one line (`text`) or of several (`longtext`).
        case text(length: ClosedRange<Int>, pattern: TextPattern?, lines: Bool)
        case number(least: Double?, most: Double?, whole: Bool)
        /// `YYYY-MM-DD`; a bound may be `today`.
        case date(earliest: String?, latest: String?)
        case email
        case single(choices: [String], other: Bool)
        case multi(choices: [String], other: Bool, count: ClosedRange<Int>)
        case boolean
        case rating(ClosedRange<Int>)
        /// All choices, the dearest first.
        case ranking(choices: [String])
        /// For each row one column.
        case matrix(rows: [String], columns: [String])
        /// The same questions several times.
        case group(count: ClosedRange<Int>, questions: QuestionSet)
    }

    let id: String
    let title: String
    let kind: Kind
    let required: Bool
    /// Whether the answer is for the operator alone: no later function writes about it or shows it to a
    /// model.
    let isPrivate: Bool
    /// The definition's own words for a fault.
    let message: String?
    let visibleIf: Condition?

    init(_ json: JSON, at place: String) throws(DefinitionError) {
        var members = try DefinitionMembers(json, at: place)
        id = try members.text("id")
        guard id.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }) else {
            throw DefinitionError("\(place): id \(id) must be made of a-z, 0-9 and _")
        }
        members.place = "\(place).\(id)"
        title = try members.text("title")
        required = try members.flag("required")
        isPrivate = try members.flag("private")
        message = try members.optionalText("message")
        let spot = members.place
        visibleIf = try members.value("visibleIf").map { json throws(DefinitionError) in
            try Condition(json, at: spot)
        }
        kind = try Question.kind(try members.text("type"), &members)
        try members.refuseOthers()
    }

    private static func kind(
        _ type: String,
        _ members: inout DefinitionMembers
    ) throws(DefinitionError) -> Kind {
        switch type {
        case "text", "longtext":
            let most = type == "text" ? 200 : 5000
            let length = try members.range("minLength", "maxLength", default: 0...most)
            let pattern = try members.optionalText("pattern")
            return .text(
                length: length,
                pattern: try pattern.map { text throws(DefinitionError) in try TextPattern(text) },
                lines: type == "longtext"
            )
        case "number":
            return .number(
                least: try members.number("min"),
                most: try members.number("max"),
                whole: try members.flag("whole")
            )
        case "date":
            return .date(earliest: try day("min", &members), latest: try day("max", &members))
        case "email": return .email
        case "boolean": return .boolean
        case "single":
            return .single(choices: try members.values("choices"), other: try members.flag("other"))
        case "multi":
            let choices = try members.values("choices")
            let other = try members.flag("other")
            let most = choices.count + (other ? 1 : 0)
            return .multi(
                choices: choices,
                other: other,
                count: try members.range("minChoices", "maxChoices", default: 0...most)
            )
        case "rating": return .rating(try members.range("min", "max", default: 1...5))
        case "ranking": return .ranking(choices: try members.values("choices"))
        case "matrix":
            return .matrix(rows: try members.values("rows"), columns: try members.values("columns"))
        case "group":
            let count = try members.range("min", "max", default: 0...10)
            let questions = try members.list("questions")
            return .group(count: count, questions: try QuestionSet(questions, at: members.place))
        default:
            throw DefinitionError(
                "\(members.place): type \(type) is none of text, longtext, number, date, email, single, "
                    + "multi, boolean, rating, ranking, matrix, group"
            )
        }
    }

    private static func day(
        _ name: String,
        _ members: inout DefinitionMembers
    ) throws(DefinitionError) -> String? {
        guard let text = try members.optionalText(name) else { return nil }
        guard text == "today" || isDay(text) else {
            throw DefinitionError("\(members.place): \(name) must be a day such as 2020-02-29, or today")
        }
        return text
    }

    /// Whether `text` is a day of the calendar, written `YYYY-MM-DD`.
    ///
    /// Two such texts order as their days do.
    static func isDay(_ text: String) -> Bool {
        text.utf8.count == 10 && Instant(rfc3339: text + "T00:00:00Z") != nil
    }
}
