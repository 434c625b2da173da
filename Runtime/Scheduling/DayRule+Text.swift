extension DayRule.Anchor {
    /// Reads the text of a rule and the days it adds: `12-25`, `easter-2`, `4th thu nov+1`, `mon before 05-25`.
    package static func parse(_ text: String) -> (anchor: DayRule.Anchor, offset: Int)? {
        var text = text[...]
        var offset = 0
        // A sign after a letter or a space adds days; the hyphen of `12-25` stands between digits.
        if let sign = text.lastIndex(where: { $0 == "+" || $0 == "-" }), sign > text.startIndex,
            !text[text.index(before: sign)].isNumber
        {
            guard let days = UInt8(text[text.index(after: sign)...]), days <= 60 else { return nil }
            offset = text[sign] == "-" ? -Int(days) : Int(days)
            text = text[..<sign]
        }
        let words = text.split(separator: " ").map(String.init)
        switch words.count {
        case 1 where words[0] == "easter":
            return (.easter, offset)
        case 1:
            return monthDay(words[0]).map { (.fixed(month: $0.month, day: $0.day), offset) }
        case 3 where words[1] == "before":
            guard let weekday = weekday(words[0]), let date = monthDay(words[2]) else { return nil }
            return (.before(weekday: weekday, month: date.month, day: date.day), offset)
        case 3:
            let counts = ["1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "last": -1]
            guard let count = counts[words[0]], let weekday = weekday(words[1]),
                let month = months.firstIndex(of: words[2])
            else { return nil }
            return (.nth(count, weekday: weekday, month: month + 1), offset)
        default:
            return nil
        }
    }

    /// The number of a weekday by the first three letters of its English name; Sunday is 0.
    package static func weekday(_ text: String) -> Int? {
        ["sun", "mon", "tue", "wed", "thu", "fri", "sat"].firstIndex(of: text)
    }

    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    /// Reads `02-29`; the year that has the day decides whether there is one.
    private static func monthDay(_ text: String) -> (month: Int, day: Int)? {
        CivilDate(parsing: "2000-" + text).map { ($0.month, $0.day) }
    }
}
