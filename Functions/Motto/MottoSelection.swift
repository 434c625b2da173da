/// What came of the model's lines so far: those that keep the rules, and why others do not.
struct MottoSelection: Sendable {
    /// Two lines are alike below this share of edits: one word in eight or so.
    private static let alike = 0.25
    /// How many lines are named to the model as not to be repeated; a bound on the question's length.
    private static let memory = 40

    let maximum: Int
    private(set) var accepted: [String] = []
    /// What the model should not write again: what was accepted, and what was too long.
    private(set) var avoid: [String] = []
    /// Why lines were turned down in the last round, each reason once.
    private(set) var reasons: [String] = []

    /// A selection of lines of at most `maximum` characters.
    init(maximum: Int) {
        self.maximum = maximum
    }

    /// Judges one answer's lines in their order.
    mutating func take(_ lines: [String], atMost wanted: Int) {
        reasons = []
        for line in lines where accepted.count < wanted {
            guard let text = MottoText.cleaned(line) else {
                turnDown("a line held no motto")
                continue
            }
            // Only what was accepted counts here: a shorter version of what was too long is what we asked
            // for.
            if accepted.contains(where: { MottoSelection.isAlike($0, text) }) {
                turnDown("a motto was too like another")
                continue
            }
            if text.count > maximum {
                turnDown("a motto had \(text.count) characters; the most is \(maximum)")
            } else {
                accepted.append(text)
            }
            avoid.append(String(text.prefix(2 * maximum)))
            if avoid.count > MottoSelection.memory { avoid.removeFirst() }
        }
        if accepted.count < wanted, reasons.isEmpty { turnDown("there were fewer mottos than asked for") }
    }

    private mutating func turnDown(_ reason: String) {
        if !reasons.contains(reason) { reasons.append(reason) }
    }

    /// Whether two lines say the same with few changes; case, punctuation and spaces do not count.
    static func isAlike(_ left: String, _ right: String) -> Bool {
        let left = letters(left)
        let right = letters(right)
        let longer = max(left.count, right.count)
        guard longer > 0 else { return true }
        return Double(distance(left, right)) / Double(longer) < alike
    }

    private static func letters(_ text: String) -> [Character] {
        text.lowercased().filter { $0.isLetter || $0.isNumber }.map { $0 }
    }

    /// Levenshtein's distance, in one row.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        guard !left.isEmpty else { return right.count }
        var row = Array(0...right.count)
        for (i, character) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let substituted = diagonal + (character == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}
