/// A named way to tell a story: beats in their order, each with its share of the whole.
struct PlotStructure: Sendable {
    /// A step of the story.
    struct Beat: Sendable, Hashable {
        var name: String
        /// What the step is there for, as the model is told.
        var purpose: String
        /// Its share of the whole, in thousandths: integers, so that the shares add up exactly.
        var share: Int
    }

    let name: String
    let beats: [Beat]

    private init(_ name: String, _ beats: [(String, Int, String)]) {
        self.name = name
        self.beats = beats.map { Beat(name: $0.0, purpose: $0.2, share: $0.1) }
    }

    /// The structure of that name; spaces, capitals, apostrophes and accents are looked past.
    static func named(_ text: String) -> PlotStructure? {
        var plain = ""
        for character in text.lowercased() {
            switch character {
            case " ", "_": plain.append("-")
            case "'", "’": continue
            case "ō", "ô": plain.append("o")
            default: plain.append(character)
            }
        }
        return all.first { $0.name == plain }
    }

    /// All structures.
    static let all = [threeAct, freytag, herosJourney, kishotenketsu, saveTheCat]

    static let threeAct = PlotStructure(
        "three-act",
        [
            ("setup", 250, "show the hero in an ordinary day and the wish that will not let go"),
            ("confrontation", 500, "send the hero after the wish and let every step cost more than the last"),
            ("resolution", 250, "let the hero win or lose by a choice, and show what has changed"),
        ]
    )

    static let freytag = PlotStructure(
        "freytag",
        [
            ("exposition", 150, "introduce the hero, the place and the balance that is about to break"),
            ("rising action", 300, "let one event lead to the next until there is no way back"),
            ("climax", 200, "bring the hero to the moment on which everything turns"),
            ("falling action", 200, "show what the turn sets loose and who has to bear it"),
            ("denouement", 150, "tie the last thread and leave a picture that stays"),
        ]
    )

    static let herosJourney = PlotStructure(
        "heros-journey",
        [
            ("ordinary world", 80, "show the hero at home and what is missing there"),
            ("call to adventure", 70, "let something knock that cannot be ignored"),
            ("refusal", 60, "give the hero a good reason to stay"),
            ("mentor", 70, "let somebody hand over courage, advice or a tool"),
            ("threshold", 80, "let the hero take the step that cannot be taken back"),
            ("tests and allies", 140, "try the hero with small dangers and show who helps"),
            ("approach", 90, "bring the hero close to what is feared most"),
            ("ordeal", 130, "let the hero face the fear and nearly lose everything"),
            ("reward", 80, "put what was sought into the hero's hands"),
            ("road back", 70, "turn the hero homewards with trouble close behind"),
            ("resurrection", 70, "ask for one last proof that the hero has changed"),
            ("return", 60, "bring the gain home and show the old place with new eyes"),
        ]
    )

    static let kishotenketsu = PlotStructure(
        "kishotenketsu",
        [
            ("ki", 250, "introduce the people and the place without any conflict"),
            ("sho", 300, "deepen what was introduced and let us grow fond of it"),
            ("ten", 250, "turn to something unexpected that seems to have nothing to do with it"),
            ("ketsu", 200, "bring both together so that each throws light on the other"),
        ]
    )

    static let saveTheCat = PlotStructure(
        "save-the-cat",
        [
            ("opening image", 20, "one picture of the hero's world before anything happens"),
            ("theme stated", 30, "let somebody say in passing what it is all about"),
            ("set-up", 80, "show what the hero has, lacks and believes"),
            ("catalyst", 30, "let the news arrive that changes the day"),
            ("debate", 90, "let the hero doubt whether to go"),
            ("break into two", 30, "let the hero choose to go"),
            ("b story", 50, "bring in somebody who will understand the hero"),
            ("fun and games", 200, "give what the story promised: the hero at play in the new world"),
            ("midpoint", 40, "raise the stakes by a false victory or a false defeat"),
            ("bad guys close in", 130, "let pressure grow from outside and doubt from inside"),
            ("all is lost", 40, "take away what the hero leaned on"),
            ("dark night of the soul", 70, "let the hero sit with the loss until something is understood"),
            ("break into three", 30, "let the hero see a way that uses what was learned"),
            ("finale", 130, "let the hero carry it out and set things right"),
            ("final image", 30, "one picture that answers the first"),
        ]
    )
}
