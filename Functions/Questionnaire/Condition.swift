import FunctionCore

/// When a question is asked: a small expression over other answers.
///
/// `{"question": "age", "gt": 12}`, with `equals`, `in`, `contains`, `answered`, `gt`, `gte`, `lt` or `lte`;
/// joined by `{"all": […]}`, `{"any": […]}` and `{"not": …}`. A question without answer, or hidden itself,
/// fulfils nothing but `"answered": false`.
indirect enum Condition: Sendable {
    /// How an answer is compared with a number.
    enum Comparison: String, Sendable, CaseIterable {
        case gt, gte, lt, lte
    }

    case equals(String, JSON)
    case isIn(String, [JSON])
    case contains(String, JSON)
    case answered(String, Bool)
    case compare(String, Comparison, Double)
    case all([Condition])
    case any([Condition])
    case not(Condition)

    init(_ json: JSON, at place: String) throws(DefinitionError) {
        guard let object = json.objectValue else {
            throw DefinitionError("\(place): visibleIf must be an object")
        }
        if object.count == 1, let (key, value) = object.first.map({ ($0.key, $0.value) }) {
            switch (key, value) {
            case ("all", .array(let parts)): self = .all(try Condition.list(parts, at: place))
            case ("any", .array(let parts)): self = .any(try Condition.list(parts, at: place))
            case ("not", let part): self = .not(try Condition(part, at: place))
            default: throw DefinitionError("\(place): visibleIf \(key) is none of all, any, not")
            }
            return
        }
        guard object.count == 2, let name = object["question"]?.stringValue,
            let (key, value) = object.first(where: { $0.key != "question" }).map({ ($0.key, $0.value) })
        else { throw DefinitionError("\(place): visibleIf needs question and one test, such as equals") }
        switch (key, value) {
        case ("equals", _): self = .equals(name, value)
        case ("in", .array(let values)): self = .isIn(name, values)
        case ("contains", _): self = .contains(name, value)
        case ("answered", .bool(let flag)): self = .answered(name, flag)
        default:
            guard let comparison = Comparison(rawValue: key), let bound = value.doubleValue else {
                let known = "equals, in, contains, answered, gt, gte, lt, lte"
                throw DefinitionError(
                    "\(place): visibleIf \(key) is none of \(known), or its value does not fit"
                )
            }
            self = .compare(name, comparison, bound)
        }
    }

    private static func list(_ parts: [JSON], at place: String) throws(DefinitionError) -> [Condition] {
        var conditions: [Condition] = []
        for part in parts { conditions.append(try Condition(part, at: place)) }
        return conditions
    }

    /// The questions it speaks of.
    var names: [String] {
        switch self {
        case .equals(let name, _), .isIn(let name, _), .contains(let name, _), .answered(let name, _),
            .compare(let name, _, _):
            [name]
        case .all(let parts), .any(let parts): parts.flatMap(\.names)
        case .not(let part): part.names
        }
    }

    /// Whether it holds for `answers`, which are those of visible questions only.
    func holds(_ answers: JSONObject) -> Bool {
        switch self {
        case .equals(let name, let value): answers[name].map { Condition.same($0, value) } ?? false
        case .isIn(let name, let values):
            answers[name].map { answer in values.contains { Condition.same(answer, $0) } } ?? false
        case .contains(let name, let value):
            answers[name]?.arrayValue?.contains { Condition.same($0, value) } ?? false
        case .answered(let name, let flag): (answers[name] != nil) == flag
        case .compare(let name, let comparison, let bound):
            answers[name]?.doubleValue.map { Condition.fits($0, comparison, bound) } ?? false
        case .all(let parts): parts.allSatisfy { $0.holds(answers) }
        case .any(let parts): parts.contains { $0.holds(answers) }
        case .not(let part): !part.holds(answers)
        }
    }

    private static func fits(_ answer: Double, _ comparison: Comparison, _ bound: Double) -> Bool {
        switch comparison {
        case .gt: answer > bound
        case .gte: answer >= bound
        case .lt: answer < bound
        case .lte: answer <= bound
        }
    }

    /// Equality for which 3 and 3.0 are one value.
    private static func same(_ left: JSON, _ right: JSON) -> Bool {
        if let left = left.doubleValue, let right = right.doubleValue { return left == right }
        return left == right
    }
}
