/// Where in a story a beat stands, and the sentences that belong there.
///
/// `{n}` is the hero.
struct OfflinePhase {
    let openers: [String]
    let bridges: [String]
    let titles: [String]
    let moods: [String]

    /// From what the beat is for; where that says nothing known, from its place.
    init(_ purpose: String, index: Int, count: Int) {
        let purpose = purpose.lowercased()
        let cues: [(OfflinePhase, [String])] = [
            (
                .ending,
                [
                    "resol", "ending", "aftermath", "new normal", "return", "conclu", "closing", "reflect",
                    "farewell",
                ]
            ),
            (.climax, ["climax", "peak", "final", "decisive", "showdown", "payoff", "breakthrough"]),
            (
                .turn,
                ["twist", "turn", "crisis", "low point", "dark", "loss", "setback", "midpoint", "doubt"]
            ),
            (
                .rise,
                [
                    "call", "catalyst", "incit", "rising", "develop", "trial", "complicat", "confront",
                    "journey",
                ]
            ),
            (
                .opening,
                ["introduc", "setup", "set up", "ordinary", "open", "hook", "meet", "establish", "world"]
            ),
        ]
        if let found = cues.first(where: { $0.1.contains(where: purpose.contains) }) {
            self = found.0
            return
        }
        let place = count <= 1 ? 0 : Double(index) / Double(count - 1)
        switch place {
        case ..<0.2: self = .opening
        case ..<0.55: self = .rise
        case ..<0.75: self = .turn
        case ..<0.95: self = .climax
        default: self = .ending
        }
    }

    private init(openers: [String], bridges: [String], titles: [String], moods: [String]) {
        self.openers = openers
        self.bridges = bridges
        self.titles = titles
        self.moods = moods
    }

    static let opening = OfflinePhase(
        openers: [
            "Every story has a first morning, and this one belongs to {n}.",
            "Before anything happens, there is {n}, and a quiet day.",
            "This is where we meet {n}.", "It begins small, as true things do.", "Look closely: this is {n}.",
        ],
        bridges: [
            "Nothing here seems remarkable yet.", "The light is soft, and the hours are slow.",
            "You would hardly notice, if you only passed by.", "Still, something is already waiting.",
            "The kettle sings, and the window stands open.",
        ],
        titles: ["A First Morning", "Where It Begins", "Before the Road", "First Light"],
        moods: ["early morning light", "quiet and bright", "first sun through a window"]
    )
    static let rise = OfflinePhase(
        openers: [
            "Then something stirs, and {n} can no longer stand still.",
            "One day the road calls, and {n} answers.", "The first step is the loud one.",
            "Things begin to move.", "A door opens that was never there before.",
        ],
        bridges: [
            "Each step asks a little more than the last.", "What was a thought becomes a plan.",
            "Strangers turn into helpers, and helpers into friends.", "The map is wrong, and that is a gift.",
            "There is no going back to yesterday.",
        ],
        titles: ["The First Step", "The Road Calls", "Things in Motion", "A Door Opens"],
        moods: ["wind and long shadows", "midday colours", "a path that leads away"]
    )
    static let turn = OfflinePhase(
        openers: [
            "And here everything hangs by a thread for {n}.", "Then the weather turns.",
            "For a while nothing works, and {n} knows it.", "The night comes early.",
            "This is the hard part.",
        ],
        bridges: [
            "The easy answers have all been used.", "Doubt speaks softly, and it speaks well.",
            "Some things must be put down before the climb.", "What seemed certain is a question again.",
            "Nobody says a word for a long time.",
        ],
        titles: ["The Weather Turns", "By a Thread", "The Hard Part", "A Long Night"],
        moods: ["storm light", "deep blue dusk", "rain on stone"]
    )
    static let climax = OfflinePhase(
        openers: [
            "Now it comes down to a single step, and {n} takes it.", "This is the moment.",
            "Everything so far has led {n} to this.", "No more waiting.", "The last door has no handle.",
        ],
        bridges: [
            "Fear is still there, but it no longer leads.", "The heart beats, and the hand is steady.",
            "For one breath the whole world holds still.",
            "It is louder than thunder, and it is over quickly.",
            "What was learned on the way is needed now.",
        ],
        titles: ["The Single Step", "This Is the Moment", "No More Waiting", "The Last Door"],
        moods: ["blazing sunset", "strong contrast and sparks", "light breaking through"]
    )
    static let ending = OfflinePhase(
        openers: [
            "When the noise is gone, {n} is still here, and different.", "And then it is quiet again.",
            "The way home looks shorter now.", "What remains is simple.",
            "So the story of {n} comes to rest.",
        ],
        bridges: [
            "The same window stands open, and the air is new.",
            "Some endings are only a better place to begin.",
            "There is bread, and laughter, and time.", "Whoever listens can hear it still.",
            "Tomorrow may come as it likes.",
        ],
        titles: ["Home Again", "What Remains", "After the Storm", "A New Morning"],
        moods: ["golden evening", "calm water", "lights in far windows"]
    )
}
