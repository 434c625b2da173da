/// Captions: sentences with their times, as SubRip.
struct CaptionTrack: Sendable, Hashable {
    struct Cue: Sendable, Hashable {
        /// Seconds from the beginning.
        var start: Double
        var end: Double
        var text: String
    }

    private(set) var cues: [Cue] = []

    init() {}

    /// Spreads a text's sentences over `seconds`, each by its share of the letters.
    init(_ text: String, seconds: Double) {
        let sentences = CaptionTrack.sentences(text)
        let letters = sentences.reduce(0) { $0 + $1.count }
        var spoken = 0
        for sentence in sentences {
            let start = seconds * Double(spoken) / Double(letters)
            spoken += sentence.count
            cues.append(Cue(start: start, end: seconds * Double(spoken) / Double(letters), text: sentence))
        }
    }

    /// Adds another track's cues, `seconds` later.
    mutating func append(_ other: CaptionTrack, after seconds: Double) {
        cues += other.cues.map { Cue(start: $0.start + seconds, end: $0.end + seconds, text: $0.text) }
    }

    /// The track as a SubRip file.
    var subRip: String {
        var text = ""
        for (index, cue) in cues.enumerated() {
            let span = "\(CaptionTrack.time(cue.start)) --> \(CaptionTrack.time(cue.end))"
            text += "\(index + 1)\n\(span)\n\(cue.text)\n\n"
        }
        return text
    }

    /// The same with whatever a player could take for markup made plain.
    var plainSubRip: String {
        let marks: [Character: Character] = ["{": "(", "}": ")", "<": "‹", ">": "›", "\\": "/"]
        var plain = self
        for index in plain.cues.indices {
            plain.cues[index].text = String(plain.cues[index].text.map { marks[$0] ?? $0 })
        }
        return plain.subRip
    }

    /// A text's sentences; very long ones are broken at a space, so that a caption fits two or three lines.
    private static func sentences(_ text: String) -> [String] {
        let longest = 110
        var sentences: [String] = []
        var sentence = ""
        var isEnding = false
        for word in text.split(whereSeparator: \.isWhitespace) {
            if !sentence.isEmpty, isEnding || sentence.count + word.count >= longest {
                sentences.append(sentence)
                sentence = ""
            }
            sentence += sentence.isEmpty ? String(word) : " \(word)"
            let bare = word.last.map { "”\"’')»".contains($0) } == true ? word.dropLast() : word
            isEnding = bare.last.map { ".!?…".contains($0) } ?? false
        }
        if !sentence.isEmpty { sentences.append(sentence) }
        // An arrow on a line of its own would read as a time.
        return sentences.map {
            $0.split(separator: "-->", omittingEmptySubsequences: false).joined(separator: "→")
        }
    }

    private static func time(_ seconds: Double) -> String {
        let milliseconds = Int((seconds * 1000).rounded())
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let rest = milliseconds % 1000
        let fraction = rest < 10 ? "00\(rest)" : rest < 100 ? "0\(rest)" : "\(rest)"
        let whole = milliseconds / 1000
        return "\(two(whole / 3600)):\(two(whole / 60 % 60)):\(two(whole % 60)),\(fraction)"
    }
}
