/// What a tone of voice is made of.
///
/// `{k}` and `{o}` are words of the prompt; `{a}`, `{v}` and `{i}` the tone's adjectives, verbs and images.
struct OfflineTone {
    let adjectives: [String]
    let verbs: [String]
    let images: [String]
    let patterns: [String]

    /// A tone by its name; an unknown one speaks plainly, in words of its own name.
    static func named(_ name: String) -> OfflineTone {
        all[name]
            ?? OfflineTone(
                adjectives: [name.isEmpty ? "plain" : name, "plain-spoken", "honest"],
                verbs: ["voice", "pick", "speak up for"],
                images: ["tune", "way", "word"],
                patterns: [
                    "A \(name) word for {k}.", "{k}, the \(name) way.", "{v} {k}, and stay \(name).",
                    "{k} and {o}: \(name) from the start.", "{v} the {i} of {k}.",
                ]
            )
    }

    /// Said in any tone, with the tone's own words.
    static let shortPatterns = ["{v} {k}.", "{a} {k}.", "{k}, {a}.", "{k}. {i}. {o}.", "{v} the {i} of {k}."]

    private static let all: [String: OfflineTone] = [
        "bold": OfflineTone(
            adjectives: ["fearless", "loud", "unstoppable"],
            verbs: ["dare", "own", "seize"],
            images: ["thunder", "frontier", "summit"],
            patterns: [
                "{v} {k}. Own {o}.", "{k} first. Doubt last.", "Go {a} or go home: {k}.",
                "No {i} too high for {k}.",
                "{k} is not for the timid.", "Break the rules, not {k}.",
            ]
        ),
        "calm": OfflineTone(
            adjectives: ["quiet", "gentle", "unhurried"],
            verbs: ["breathe", "rest in", "return to"],
            images: ["still water", "morning", "harbour"],
            patterns: [
                "Slow down. {k} will wait.", "{a} steps towards {k}.", "Let {k} come like {i}.",
                "{k} grows where it is quiet.", "Breathe in {k}, breathe out {o}.", "There is peace in {k}.",
            ]
        ),
        "playful": OfflineTone(
            adjectives: ["giggly", "bouncy", "cheeky"],
            verbs: ["tickle", "juggle", "high-five"],
            images: ["confetti", "trampoline", "lemonade"],
            patterns: [
                "{k}? Yes, with sprinkles!", "{v} your {k} today!", "Hop, skip and {k}!",
                "{k} now, grown-up things later!", "Warning: {a} {k} ahead!", "{k} plus {o} equals {i}!",
            ]
        ),
        "poetic": OfflineTone(
            adjectives: ["silver", "dreaming", "fragile"],
            verbs: ["sing", "gather", "whisper"],
            images: ["moonlight", "river", "petal"],
            patterns: [
                "{k}, a {i} in an open hand.", "Where {k} ends, the {i} begins.", "O {k}, thou {a} flame.",
                "Between {k} and {o} sleeps the sea.", "{v} of {k} until the stars reply.",
                "The heart keeps {k} as night keeps {i}.",
            ]
        ),
        "professional": OfflineTone(
            adjectives: ["reliable", "measured", "proven"],
            verbs: ["deliver", "advance", "align"],
            images: ["standard", "partnership", "expertise"],
            patterns: [
                "{k}, delivered with care.", "Your partner for {k}.", "{a} results in {k}.",
                "Setting the {i} for {k}.", "{v} {k}. Exceed expectations.", "Excellence in {k}, every day.",
            ]
        ),
        "witty": OfflineTone(
            adjectives: ["clever", "wry", "sharp"],
            verbs: ["outsmart", "quip about", "caffeinate"],
            images: ["punchline", "plot twist", "loophole"],
            patterns: [
                "{k}: because plan B was worse.", "I came for {o} and stayed for {k}.",
                "{k} happens. Wear shoes.",
                "My other {i} is {k}.", "Keep calm? No, keep {k}.", "{k}, but make it {a}.",
            ]
        ),
        "heroic": OfflineTone(
            adjectives: ["valiant", "steadfast", "undaunted"],
            verbs: ["defend", "rise for", "champion"],
            images: ["shield", "banner", "dawn"],
            patterns: [
                "For {k}, I stand.", "Let {k} be my {i}.", "{v} {k} to the last.", "Through fire, for {k}.",
                "A {a} heart guards {k}.", "When {o} falls, {k} shall rise.",
            ]
        ),
        "minimalist": OfflineTone(
            adjectives: ["less", "bare", "only"],
            verbs: ["keep", "clear", "reduce"],
            images: ["line", "space", "white"],
            patterns: [
                "{k}. Enough.", "Just {k}.", "{k}, nothing more.", "Less noise. {k}.", "{k} / {o}.",
                "One {i}. {k}.",
            ]
        ),
        "romantic": OfflineTone(
            adjectives: ["tender", "devoted", "blushing"],
            verbs: ["adore", "cherish", "embrace"],
            images: ["rose", "candle", "kiss"],
            patterns: [
                "To {k}, with all my heart.", "{v} {k} as on the first day.", "You, me and {k}.",
                "{k} is love that learned to stay.", "Every {i} is a letter to {k}.",
                "Hold {k} close, my dear.",
            ]
        ),
        "rebellious": OfflineTone(
            adjectives: ["untamed", "defiant", "restless"],
            verbs: ["resist for", "ignite", "unchain"],
            images: ["barricade", "spark", "riot"],
            patterns: [
                "Nobody owns my {k}.", "{k} against the machine.", "They said no. I said {k}.",
                "Rules end where {k} begins.", "{v} {k}. Ask nobody.", "Born {a}, raised on {k}.",
            ]
        ),
        "wise": OfflineTone(
            adjectives: ["patient", "seasoned", "humble"],
            verbs: ["learn from", "honour", "ponder"],
            images: ["root", "well", "old path"],
            patterns: [
                "Who knows {k} needs little else.", "{k} teaches those who listen.",
                "Plant {k}, harvest {o}.",
                "The {i} of {k} runs deep.", "Ask {k} before you answer.", "In time, {k} explains itself.",
            ]
        ),
        "warm": OfflineTone(
            adjectives: ["kind", "cosy", "open-hearted"],
            verbs: ["share", "welcome", "hug"],
            images: ["hearth", "blanket", "kitchen table"],
            patterns: [
                "Come in, there is {k} for all.", "{k} tastes better together.", "A {a} place for {k}.",
                "Home is where {k} is.", "{v} {k} with those you love.",
                "There is always room for {k} and {o}.",
            ]
        ),
    ]
}
