/// A pattern that a whole text must fit: literal characters, `.`, classes and repetitions.
///
/// Classes: `[a-z_]`, `[^0-9]`, `\d` digits, `\l` letters of any script, `\s` white space, `\w` letters,
/// digits and `_`; repetitions: `?`, `*`, `+`, `{2}`, `{2,4}`, `{2,}`. No groups and no alternatives: the
/// standard library's `Regex` has them, but costs every worker megabytes and milliseconds for what
/// definitions do not need.
struct TextPattern: Sendable {
    /// What one character may be.
    private enum Class: Sendable {
        case any
        case digit, letter, space, word
        case one(Character)
        case range(ClosedRange<Character>)
        indirect case set([Class], negated: Bool)

        func holds(_ character: Character) -> Bool {
            switch self {
            case .any: true
            case .digit: character >= "0" && character <= "9"
            case .letter: character.isLetter
            case .space: character.isWhitespace
            case .word: character.isLetter || character == "_" || Class.digit.holds(character)
            case .one(let other): character == other
            case .range(let range): range.contains(character)
            case .set(let parts, let negated): parts.contains { $0.holds(character) } != negated
            }
        }
    }

    /// A class and how often it comes.
    private struct Atom: Sendable {
        var kind: Class
        var least = 1
        var most = 1
    }

    /// The pattern as it was written.
    let text: String
    private let atoms: [Atom]

    init(_ text: String) throws(DefinitionError) {
        self.text = text
        var rest = Array(text)[...]
        var atoms: [Atom] = []
        while let character = rest.popFirst() {
            switch character {
            case "?", "*", "+", "{":
                guard var atom = atoms.popLast() else {
                    throw DefinitionError("pattern \(text): \(character) has nothing before it")
                }
                (atom.least, atom.most) = try TextPattern.repetition(character, &rest, text)
                atoms.append(atom)
            case "[": atoms.append(Atom(kind: try TextPattern.set(&rest, text)))
            case "(", ")", "|":
                throw DefinitionError("pattern \(text): groups and alternatives are not known here")
            case ".": atoms.append(Atom(kind: .any))
            default: atoms.append(Atom(kind: try TextPattern.single(character, &rest, text)))
            }
        }
        self.atoms = atoms
    }

    /// Whether the whole of `candidate` fits.
    ///
    /// The set of positions that can be reached is carried from atom to atom, so the time is bounded by the
    /// pattern's length times the square of the text's, never exponential.
    func matches(_ candidate: String) -> Bool {
        let characters = Array(candidate)
        var reached: Set<Int> = [0]
        for atom in atoms {
            var next: Set<Int> = []
            for start in reached {
                var position = start
                var count = 0
                if atom.least == 0 { next.insert(position) }
                while count < atom.most, position < characters.count, atom.kind.holds(characters[position]) {
                    position += 1
                    count += 1
                    if count >= atom.least { next.insert(position) }
                }
            }
            reached = next
        }
        return reached.contains(characters.count)
    }

    private static func single(
        _ character: Character,
        _ rest: inout ArraySlice<Character>,
        _ text: String
    ) throws(DefinitionError) -> Class {
        guard character == "\\" else { return .one(character) }
        guard let escaped = rest.popFirst() else { throw DefinitionError("pattern \(text): \\ ends it") }
        switch escaped {
        case "d": return .digit
        case "l": return .letter
        case "s": return .space
        case "w": return .word
        default: return .one(escaped)
        }
    }

    private static func set(
        _ rest: inout ArraySlice<Character>,
        _ text: String
    ) throws(DefinitionError) -> Class {
        var parts: [Class] = []
        var negated = false
        if rest.first == "^" {
            negated = true
            rest.removeFirst()
        }
        while let character = rest.popFirst() {
            if character == "]" { return .set(parts, negated: negated) }
            let part = try single(character, &rest, text)
            if case .one(let lower) = part, rest.first == "-", let upper = rest.dropFirst().first,
                upper != "]"
            {
                guard lower <= upper else {
                    throw DefinitionError("pattern \(text): \(lower)-\(upper) is empty")
                }
                parts.append(.range(lower...upper))
                rest.removeFirst(2)
            } else {
                parts.append(part)
            }
        }
        throw DefinitionError("pattern \(text): [ is never closed")
    }

    private static func repetition(
        _ sign: Character,
        _ rest: inout ArraySlice<Character>,
        _ text: String
    ) throws(DefinitionError) -> (Int, Int) {
        switch sign {
        case "?": return (0, 1)
        case "*": return (0, .max)
        case "+": return (1, .max)
        default:
            guard let end = rest.firstIndex(of: "}") else {
                throw DefinitionError("pattern \(text): { is never closed")
            }
            let bounds = String(rest[..<end]).split(separator: ",", omittingEmptySubsequences: false)
            rest = rest[(end + 1)...]
            guard (1...2).contains(bounds.count), let least = Int(bounds[0]), least >= 0,
                let most = bounds.count == 1 ? least : bounds[1].isEmpty ? .max : Int(bounds[1]),
                least <= most
            else { throw DefinitionError("pattern \(text): a repetition is {n}, {n,} or {n,m}") }
            return (least, most)
        }
    }
}
