/// What no recording has, and what a text looks like that was made of it.
///
/// Two texts are compared that should be the same: where they differ in ids, instants or long numbers alone, the
/// function has most likely taken those from the system and not from its context.
package struct UnrecordedSource: OptionSet, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    package static let ids = UnrecordedSource(rawValue: 1)
    package static let times = UnrecordedSource(rawValue: 2)
    package static let numbers = UnrecordedSource(rawValue: 4)

    /// What makes two texts differ; empty where they differ in more than that.
    package static func between(_ old: String, _ new: String) -> UnrecordedSource {
        var (before, after) = (Reader(old), Reader(new))
        var found: UnrecordedSource = []
        while let word = before.next() {
            guard let other = after.next(), word.kind == other.kind else { return [] }
            if word.text == other.text { continue }
            guard let source = word.source(beside: other) else { return [] }
            found.insert(source)
        }
        return after.next() == nil ? found : []
    }

    /// Whether a difference names something to take instead.
    static func isTold(_ difference: String) -> Bool {
        [ids, times, numbers].contains { difference.contains($0.hint.dropFirst(2).dropLast()) }
    }

    /// What to take instead; empty where nothing is known.
    package var hint: String {
        var hints: [String] = []
        if contains(.ids) { hints.append("an id looks like UUID(): draw it from context.random") }
        if contains(.times) { hints.append("a time looks like Date(): take context.now") }
        if contains(.numbers) {
            hints.append("if a number is of the system's random ones, draw it from context.random")
        }
        return hints.isEmpty ? "" : " (\(hints.joined(separator: "; ")))"
    }
}

/// A part of a text: an id, an instant, a number, or one byte of anything else.
private struct Word {
    enum Kind { case id, instant, number, other }

    let kind: Kind
    let text: ArraySlice<UInt8>

    func source(beside other: Word) -> UnrecordedSource? {
        switch kind {
        case .id: .ids
        case .instant: .times
        case .number:
            if isEpoch, other.isEpoch, wholeDigits == other.wholeDigits {
                .times
            } else if text.count >= 6, other.text.count >= 6 {
                .numbers
            } else {
                nil
            }
        case .other: nil
        }
    }

    private var wholeDigits: Int { text.prefix { $0 != 46 }.count }

    /// Seconds since 2001 or 1970, or thousandths, millionths, milliardths of them, of these decades.
    private var isEpoch: Bool { [9, 10, 13, 16, 19].contains(wholeDigits) }
}

private struct Reader {
    private var rest: ArraySlice<UInt8>
    private var isWithinWord = false

    init(_ text: String) {
        rest = Array(text.utf8)[...]
    }

    mutating func next() -> Word? {
        guard let byte = rest.first else { return nil }
        var (kind, count) = (Word.Kind.other, 1)
        if !isWithinWord {
            if let length = idLength {
                (kind, count) = (.id, length)
            } else if let length = instantLength {
                (kind, count) = (.instant, length)
            } else if byte.isDigit {
                (kind, count) = (.number, numberLength)
            }
        }
        let text = rest.prefix(count)
        rest = rest.dropFirst(count)
        isWithinWord = text.last.map { $0.isDigit || $0.isLetter } == true
        return Word(kind: kind, text: text)
    }

    /// 8-4-4-4-12 hexadecimal digits.
    private var idLength: Int? {
        let start = rest.startIndex
        guard rest.count >= 36 else { return nil }
        for place in 0..<36 {
            let byte = rest[start + place]
            let isDash = [8, 13, 18, 23].contains(place)
            guard isDash ? byte == 45 : byte.isHexDigit else { return nil }
        }
        return 36
    }

    /// 2026-11-20T14:25:00, with a fraction and a zone where they follow.
    private var instantLength: Int? {
        let form = Array("dddd-dd-ddTdd:dd:dd".utf8)
        guard rest.count >= form.count else { return nil }
        for (byte, wanted) in zip(rest, form) {
            let fits = wanted == 100 ? byte.isDigit : byte == wanted || (wanted == 84 && byte == 32)
            guard fits else { return nil }
        }
        let tail = rest.dropFirst(form.count).prefix { $0.isDigit || [43, 45, 46, 58, 90].contains($0) }
        return form.count + tail.count
    }

    private var numberLength: Int {
        let whole = rest.prefix { $0.isDigit }
        let tail = rest.dropFirst(whole.count)
        guard tail.first == 46 else { return whole.count }
        let fraction = tail.dropFirst().prefix { $0.isDigit }
        return whole.count + (fraction.isEmpty ? 0 : 1 + fraction.count)
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (48...57).contains(self) }
    fileprivate var isLetter: Bool { (65...90).contains(self & ~32) }
    fileprivate var isHexDigit: Bool { isDigit || (65...70).contains(self & ~32) }
}
