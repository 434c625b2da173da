import FunctionCore

/// Questions that are answered together, and the order in which their visibility is found out: each one after
/// all that its condition speaks of.
struct QuestionSet: Sendable {
    let questions: [Question]
    /// Positions in `questions`.
    let order: [Int]

    /// Reads the questions of a list.
    /// - Throws: `DefinitionError` for two questions of one id, a condition about a question that is not
    ///   there, and conditions that depend on each other in a circle, which is named.
    init(_ list: [JSON], at place: String) throws(DefinitionError) {
        var read: [Question] = []
        for json in list {
            let question = try Question(json, at: place)
            guard !read.contains(where: { $0.id == question.id }) else {
                throw DefinitionError("\(place): there are two questions \(question.id)")
            }
            read.append(question)
        }
        questions = read
        order = try QuestionSet.order(of: read, at: place)
    }

    /// The questions whose answers are private.
    var privateIDs: [String] { questions.filter(\.isPrivate).map(\.id) }

    private static func order(of questions: [Question], at place: String) throws(DefinitionError) -> [Int] {
        var positions: [String: Int] = [:]
        for (position, question) in questions.enumerated() { positions[question.id] = position }
        var order: [Int] = []
        var done: Set<Int> = []
        for start in questions.indices {
            var path: [Int] = []
            try visit(start)

            func visit(_ position: Int) throws(DefinitionError) {
                guard !done.contains(position) else { return }
                if let first = path.firstIndex(of: position) {
                    let circle = (path[first...] + [position]).map { questions[$0].id }.joined(
                        separator: " → "
                    )
                    throw DefinitionError(
                        "\(place): visibleIf goes in a circle: \(circle); take one of them away"
                    )
                }
                path.append(position)
                for name in questions[position].visibleIf?.names ?? [] {
                    guard let next = positions[name] else {
                        throw DefinitionError(
                            "\(place).\(questions[position].id): visibleIf asks for \(name), "
                                + "which is no question here"
                        )
                    }
                    try visit(next)
                }
                path.removeLast()
                done.insert(position)
                order.append(position)
            }
        }
        return order
    }
}
