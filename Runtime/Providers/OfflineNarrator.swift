/// Puts sentences together to an exact number of words, without saying one twice as long as others are left.
struct OfflineNarrator {
    private let hero: String
    private var seed: OfflineSeed
    private var used: Set<String> = []

    init(hero: String, seed: OfflineSeed) {
        self.hero = hero
        self.seed = seed
    }

    /// A narration of exactly `words` words, and the facts for which there was no room.
    mutating func narration(
        words: Int,
        phase: OfflinePhase,
        facts: [OfflineFact]
    ) -> (text: String, unused: [OfflineFact]) {
        var left = words
        var sentences: [String] = []
        var unused: [OfflineFact] = []
        for (index, fact) in facts.enumerated() {
            // Room is kept for the shortest form of the facts that follow.
            let reserved = facts[(index + 1)...].reduce(0) { $0 + Self.count($1.value) + 1 }
            let room = max(left - reserved, min(left, Self.count(fact.value) + 1))
            guard let sentence = factSentence(fact, room: room) else {
                unused.append(fact)
                continue
            }
            left -= Self.count(sentence)
            sentences.append(sentence)
        }
        if let opener = take(phase.openers, room: left) {
            left -= Self.count(opener)
            sentences.insert(opener, at: 0)
        }
        var place = min(2, sentences.count)
        // Each fact may come back once, and not in every scene.
        var again = facts.filter { _ in seed.next() % 2 == 0 }
        while left >= 5 {
            let fact = again.isEmpty || seed.next() % 3 != 0 ? nil : again.removeFirst()
            let more = fact.flatMap { factSentence($0, room: left, mayRepeat: false) }
            guard let sentence = more ?? take(phase.bridges, room: left) ?? take(Self.asides, room: left)
            else { break }
            left -= Self.count(sentence)
            sentences.insert(sentence, at: place)
            place = min(place + 2, sentences.count)
        }
        while left > 0 {
            let length = min(left, Self.fillers.count)
            sentences.append(filler(length))
            left -= length
        }
        return (sentences.joined(separator: " "), unused)
    }

    private mutating func factSentence(_ fact: OfflineFact, room: Int, mayRepeat: Bool = true) -> String? {
        let isLong = Self.count(fact.value) > 6
        // A value keeps its own spelling, so one in small letters begins no sentence.
        let startsSmall = fact.value.first?.isLowercase == true
        let templates = (isLong ? Self.longTemplates : Self.templates(fact.kind))
            .filter { !startsSmall || !$0.hasPrefix("{v}") }
        if let sentence = take(templates.map(filling(fact)), room: room) { return sentence }
        guard mayRepeat else { return nil }
        let short = "Remember \(fact.value)."
        return Self.count(short) <= room ? short : nil
    }

    private func filling(_ fact: OfflineFact) -> (String) -> String {
        let value = fact.value
        return { template in
            template.split(separator: "{v}", omittingEmptySubsequences: false).joined(separator: value)
        }
    }

    /// A sentence that fits and was not used, or that was used long enough ago; nil where none fits.
    private mutating func take(_ templates: [String], room: Int) -> String? {
        let ready = templates.map(named).filter { Self.count($0) <= room }
        let fresh = ready.filter { !used.contains($0) }
        guard !fresh.isEmpty else { return nil }
        let sentence = seed.pick(fresh)
        used.insert(sentence)
        return sentence
    }

    private mutating func filler(_ length: Int) -> String {
        let choices = Self.fillers[length - 1]
        let sentence = choices.first { !used.contains($0) } ?? seed.pick(choices)
        used.insert(sentence)
        return sentence
    }

    private func named(_ template: String) -> String {
        var text = template.split(separator: "{n}", omittingEmptySubsequences: false).joined(separator: hero)
        if let first = text.first, first.isLowercase { text = first.uppercased() + text.dropFirst() }
        return text
    }

    /// Words as a reader counts them: what white space separates.
    static func count(_ text: String) -> Int {
        text.split(whereSeparator: \.isWhitespace).count
    }

    private static func templates(_ kind: OfflineFact.Kind) -> [String] {
        switch kind {
        case .name:
            [
                "They call him many things, but {v} fits best.", "The name {v} is on every tongue.",
                "Here is {v}.",
            ]
        case .age:
            [
                "{n} is {v} years old, and looks at the world with open eyes.",
                "{v} years are a good age for beginning.",
                "At {v}, one still believes in doors.", "Just {v} years old.",
            ]
        case .date:
            ["On the calendar one day is marked: {v}.", "It all leads back to {v}.", "The day is {v}."]
        case .place:
            [
                "All of it happens in {v}, where the days have their own sound.",
                "In {v} every corner knows the name of {n}.",
                "{v} lies ahead, and the light falls kindly on it.", "They say that {v} never forgets.",
                "This is {v}.",
            ]
        case .wish:
            [
                "Deep down there is one wish, and it is {v}.", "What {n} longs for is plain: {v}.",
                "{v}: that is the star to steer by.", "All that is left to wish for is {v}.",
                "The dream is {v}.",
            ]
        case .fear:
            [
                "Between here and there stands {v}.", "{n} knows the weight of {v} all too well.",
                "And {v} waits in the shadow, patient as ever.", "The fear is {v}.",
            ]
        case .companion:
            [
                "By the side of {n}, as always, is {v}.", "{v} says little and understands everything.",
                "Without {v} this road would be twice as long.", "With {v}, it is easier.",
            ]
        case .liking:
            [
                "There is always time for {v}, even now.", "A little {v} makes any place a home.",
                "{n} smiles at the thought of {v}.", "What a comfort {v} can be.", "And then there is {v}.",
            ]
        case .trait:
            [
                "People who know {n} use one word: {v}.", "{v}, that is how {n} meets the day.",
                "It takes someone {v} to see it.", "So very {v}.",
            ]
        case .other:
            [
                "And one thing must not be forgotten: {v}.", "{v}: it matters more than it seems.",
                "Somewhere in all this there is {v}.", "{n} carries {v} along like a small lamp.",
                "Think of {v}.",
            ]
        }
    }

    private static let longTemplates = [
        "{n} says it plainly: “{v}.”", "In the words of {n}: “{v}.”", "“{v},” says {n}.", "“{v}.”",
    ]

    private static let asides = [
        "Somewhere a bell rings, and nobody asks why.", "The wind has something to add.",
        "A good story takes its time, and so does {n}.", "There are moments that need no music.",
        "Far away a train goes by, lit like a ship.", "It is the small things that stay.",
        "{n} takes a deep breath and goes on.", "And the day, for once, is on our side.",
        "Listen, and you will hear the sea in it.", "Hope is a stubborn plant, and it grows here.",
        "The stars come out one after another, like old friends.", "Not everything can be said aloud.",
        "Somebody laughs, and the room grows warmer.", "So much depends on who is looking.",
    ]

    /// Sentences by their number of words, from one on; they make up what is missing.
    private static let fillers: [[String]] = [
        ["Listen.", "Look.", "Wait.", "Breathe."],
        ["Look closer.", "Stay here.", "Keep listening.", "Hold on."],
        ["Just like that.", "Nothing is lost.", "And so on.", "It is time."],
        ["And it goes on.", "That is not all.", "The light stays on.", "Everything begins right here."],
        [
            "And nobody knows it yet.", "The world keeps turning gently.", "It could not be otherwise.",
            "Step by step, it grows.",
        ],
        [
            "And there is more to come.", "Nobody will ever forget this day.",
            "The answer is closer than ever.",
        ],
        [
            "Someone, somewhere, has waited for exactly this.", "And the road goes on a little.",
            "It feels like rain after long heat.",
        ],
        [
            "It is a small thing, and it counts.", "The silence after it says more than words.",
            "Whoever has been there knows what it means.",
        ],
    ]
}
