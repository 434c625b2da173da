/// Words and sentences of a text.
enum ScriptText {
    /// The words in lower case, without punctuation.
    static func words(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map { String($0) }
    }

    /// How many words a narrator has to speak.
    ///
    /// Han, Hiragana and Katakana, which are written without spaces, count one word for two characters.
    static func wordCount(_ text: String) -> Int {
        var ideographs = 0
        var count = 0
        for word in text.split(whereSeparator: \.isWhitespace) {
            let dense = word.unicodeScalars.count { (0x3040...0x9FFF).contains($0.value) }
            ideographs += dense
            if dense == 0, word.contains(where: { $0.isLetter || $0.isNumber }) { count += 1 }
        }
        return count + (ideographs + 1) / 2
    }

    /// The text cut after each sentence and line; the pieces joined are the text, byte for byte.
    static func sentences(_ text: String) -> [String] {
        var sentences: [String] = []
        var sentence = ""
        var ended = false
        for character in text {
            if ended, !character.isWhitespace, !"\"”’»)]".contains(character) {
                sentences.append(sentence)
                sentence = ""
                ended = false
            }
            sentence.append(character)
            if ".!?…。！？".contains(character) || character.isNewline {
                ended = true
            } else if !character.isWhitespace, !"\"”’»)]".contains(character) {
                ended = false
            }
        }
        if !sentence.isEmpty { sentences.append(sentence) }
        return sentences.filter { !$0.isEmpty }
    }

    /// At most `count` pieces of about as many words each, cut between sentences; joined they are the text.
    static func pieces(_ text: String, count: Int) -> [String] {
        let sentences = sentences(text)
        let total = max(1, wordCount(text))
        let count = max(1, min(count, sentences.count))
        var pieces: [String] = []
        var piece = ""
        var spoken = 0
        for (index, sentence) in sentences.enumerated() {
            piece += sentence
            spoken += wordCount(sentence)
            let left = sentences.count - index - 1
            let due = spoken * count >= total * (pieces.count + 1)
            if pieces.count < count - 1, due || left < count - pieces.count {
                pieces.append(piece)
                piece = ""
            }
        }
        if !piece.isEmpty { pieces.append(piece) }
        return ScriptText.withWords(pieces)
    }

    /// A piece without a word, such as a line of dashes, goes to the one before, or to the one after.
    private static func withWords(_ pieces: [String]) -> [String] {
        var joined: [String] = []
        for piece in pieces {
            if let last = joined.last, wordCount(piece) == 0 || wordCount(last) == 0 {
                joined[joined.count - 1] = last + piece
            } else {
                joined.append(piece)
            }
        }
        return joined
    }
}
