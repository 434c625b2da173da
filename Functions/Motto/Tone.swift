/// A manner of speaking, with the rules that make it audible: what a model is told, and how freely it may
/// write.
struct Tone: Sendable, Hashable {
    /// What callers write.
    var name: String
    /// What the voice does and what it avoids.
    var style: String
    /// Words that belong to it; hints, not a list to copy.
    var words: [String]
    /// A line in that voice, for another subject than any caller's.
    var example: String
    /// 0 to 2: sober tones vary less.
    var temperature: Double

    /// The tone of that name, whatever its case.
    static func named(_ name: String) -> Tone? {
        let wanted = name.lowercased().filter { !$0.isWhitespace }
        return catalogue.first { $0.name == wanted }
    }

    /// All names, for messages.
    static let names = catalogue.map(\.name).joined(separator: ", ")

    /// The tones there are.
    ///
    /// The example's subject is always a lighthouse, so that only the voice differs.
    static let catalogue: [Tone] = [
        Tone(
            name: "bold",
            style: "Short imperatives and hard consonants. Claim something. No hedging, no adverbs.",
            words: ["dare", "now", "own", "break", "first"],
            example: "Stand up. Burn bright.",
            temperature: 0.9
        ),
        Tone(
            name: "calm",
            style: "Slow, even rhythm and soft sounds. Nothing urgent, no exclamation mark, no command.",
            words: ["still", "breath", "gently", "rest", "quiet"],
            example: "A still light on a quiet shore.",
            temperature: 0.7
        ),
        Tone(
            name: "playful",
            style: "A pun, a rhyme or a wink. Light words, a surprise at the end.",
            words: ["wiggle", "oops", "hop", "giggle", "mischief"],
            example: "We get ships out of tight spots, one wink at a time.",
            temperature: 1.1
        ),
        Tone(
            name: "poetic",
            style: "One image carried through, sound that echoes, no commercial word.",
            words: ["dusk", "tide", "ember", "drift", "silver"],
            example: "Where the dark ends, an ember keeps the tide.",
            temperature: 1.0
        ),
        Tone(
            name: "professional",
            style: "Plain, exact, competent. Name the benefit. No figure of speech, no slang.",
            words: ["reliable", "deliver", "clear", "standard", "results"],
            example: "Reliable guidance for every vessel.",
            temperature: 0.5
        ),
        Tone(
            name: "witty",
            style: "Dry and clever: a turn of meaning that the reader has to catch. Understate.",
            words: ["apparently", "frankly", "almost", "naturally"],
            example: "Frankly, the rocks were there first.",
            temperature: 1.0
        ),
        Tone(
            name: "heroic",
            style: "A quest in one line: courage, cost and those for whom it is done. Solemn.",
            words: ["stand", "oath", "courage", "rise", "shield"],
            example: "Through storm and night we keep the oath of light.",
            temperature: 0.9
        ),
        Tone(
            name: "minimalist",
            style: "At most five words. Nouns first. No adjective that could be left out.",
            words: ["less", "only", "one", "enough"],
            example: "Rock. Light. Home.",
            temperature: 0.6
        ),
        Tone(
            name: "romantic",
            style: "Warm longing, spoken to one person. Tenderness rather than sweetness.",
            words: ["heart", "forever", "whisper", "yours", "embrace"],
            example: "However far you sail, my light is yours.",
            temperature: 0.9
        ),
        Tone(
            name: "rebellious",
            style: "Against something named or plain to see. Refuse, mock the rule, invite others.",
            words: ["refuse", "rules", "loud", "never", "break"],
            example: "They said lights out. We never listened.",
            temperature: 1.0
        ),
        Tone(
            name: "wise",
            style:
                "A saying that could be old: a balanced sentence, a truth from experience, nobody lectured.",
            words: ["patience", "learn", "root", "seasons", "listen"],
            example: "The lamp that waits has seen more storms than the ship that hurries.",
            temperature: 0.7
        ),
        Tone(
            name: "warm",
            style: "Friendly and close, as to a neighbour. Everyday words, we and you.",
            words: ["welcome", "together", "home", "hello", "hand"],
            example: "Come on in, we left the light on for you.",
            temperature: 0.8
        ),
        Tone(
            name: "mysterious",
            style: "Say half and let the other half be felt. A question or a shadow, never an explanation.",
            words: ["veil", "beneath", "unseen", "hush", "secret"],
            example: "Ask the dark what the lamp has seen.",
            temperature: 1.0
        ),
        Tone(
            name: "scientific",
            style: "Precise and curious: evidence, measure, cause. A claim that could be tested.",
            words: ["measure", "proof", "observe", "constant", "signal"],
            example: "One constant signal, observed by all.",
            temperature: 0.6
        ),
    ]
}
