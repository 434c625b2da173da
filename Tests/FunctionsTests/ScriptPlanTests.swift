import FunctionCore
import Testing

@testable import Script

@Suite("script plan", .timeLimit(.minutes(1)))
struct ScriptPlanTests {
    @Test("the shares of each structure add up to the whole", arguments: PlotStructure.all.map(\.name))
    func shares(name: String) throws {
        let structure = try #require(PlotStructure.named(name))
        #expect(structure.beats.map(\.share).reduce(0, +) == 1000)
        #expect(Set(structure.beats.map(\.name)).count == structure.beats.count)
    }

    @Test(
        "a structure is found however its name is spelt",
        arguments: [
            ("Three Act", "three-act"), ("Hero's Journey", "heros-journey"),
            ("Kishōtenketsu", "kishotenketsu"),
            ("save_the_cat", "save-the-cat"), ("FREYTAG", "freytag"),
        ]
    )
    func spelling(text: String, name: String) {
        #expect(PlotStructure.named(text)?.name == name)
    }

    @Test(
        "the scenes of every length from 15 to 300 seconds add up exactly, and none is too short",
        arguments: PlotStructure.all.map(\.name)
    )
    func lengths(name: String) throws {
        let structure = try #require(PlotStructure.named(name))
        for deciseconds in 150...3000 {
            let plan = ScenePlan(structure, deciseconds: deciseconds, count: nil)
            #expect(plan.scenes.map(\.deciseconds).reduce(0, +) == deciseconds)
            #expect(plan.scenes.allSatisfy { $0.deciseconds >= ScenePlan.shortestScene && $0.words >= 1 })
            #expect(Set(plan.scenes.map(\.beat)).count == plan.scenes.count)
            let wished = Double(deciseconds) / 4
            #expect(Double(plan.words) > wished * 0.94 && Double(plan.words) < wished * 1.06)
        }
        let longest = ScenePlan(structure, deciseconds: 3000, count: nil)
        #expect(longest.scenes.map(\.beat) == structure.beats.map(\.name))
    }

    @Test("the number of scenes asked for is the number there is", arguments: PlotStructure.all.map(\.name))
    func counts(name: String) throws {
        let structure = try #require(PlotStructure.named(name))
        for count in 1...ScenePlan.mostScenes {
            let plan = ScenePlan(structure, deciseconds: 30 * count + 7, count: count)
            #expect(plan.scenes.count == count)
            #expect(plan.scenes.map(\.deciseconds).reduce(0, +) == 30 * count + 7)
            #expect(Set(plan.scenes.map(\.beat)).count == count)
        }
    }

    @Test(
        "parts follow their shares and add up to the whole",
        arguments: [
            (100, [1, 1], 0, [50, 50]), (100, [1, 2], 0, [33, 67]), (10, [1, 1, 1], 1, [4, 3, 3]),
            (100, [1, 99], 30, [30, 70]), (90, [1, 1, 98], 30, [30, 30, 30]),
            (200, [1, 1, 2, 96], 30, [30, 30, 30, 110]),
            (7, [0, 0], 0, [4, 3]),
        ] as [(Int, [Int], Int, [Int])]
    )
    func allotment(total: Int, shares: [Int], least: Int, parts: [Int]) {
        #expect(ScenePlan.allot(total, by: shares, least: least) == parts)
    }

    @Test(
        "words are counted as they are spoken",
        arguments: [
            ("", 0), ("one two  three\nfour", 4), ("well — then…", 2), ("- - -", 0), ("it's 12 o'clock", 3),
            ("東京の灯台", 3), ("a 東京", 2),
        ]
    )
    func words(text: String, count: Int) {
        #expect(ScriptText.wordCount(text) == count)
    }

    @Test(
        "a text is cut between sentences, and its pieces joined are the text",
        arguments: [
            ("One. Two! Three? Four.", 2, 2), ("One. Two! Three? Four.", 9, 4), ("No end", 3, 1),
            ("\n\n  He said “stop.” She did not.\nThe end…  ", 3, 3),
            ("Dr. No. 3.5 is a number. 日本。灯台。", 4, 4),
            ("---\nOne. Two. ---\n", 3, 2), ("a\u{0301}. b\r\nc", 2, 2),
        ]
    )
    func pieces(text: String, count: Int, pieces: Int) {
        let cut = ScriptText.pieces(text, count: count)
        #expect(cut.joined() == text)
        #expect(Array(cut.joined().utf8) == Array(text.utf8))
        #expect(cut.count == pieces)
    }

    @Test("a fact counts as used when its value stands in the text as words")
    func provenance() {
        let facts = StoryFacts(
            [
                "hero": "Mira", "age": 9, "place": "Old Town", "traits": ["brave", "kind"], "genre": nil,
                "companion": ["other": "a cloud"],
                "wish": "to find the lighthouse beyond the northern islands",
                "friends": [["name": "Bo", "role": "rival"]], "happy_end": true, "email": "m@example.org",
            ],
            hidden: ["email"]
        )
        #expect(facts.facts["email"] == nil && facts.facts["genre"] == nil)
        #expect(facts.used(in: "Mira, who was 9, left the OLD town.") == ["hero", "age", "place"])
        #expect(facts.used(in: "Admirable. 90 oldtowns.").isEmpty)
        #expect(facts.used(in: "A kind girl and a cloud met Bo.") == ["traits", "companion", "friends"])
        #expect(facts.used(in: "Northern islands, and beyond them a lighthouse!") == ["wish"])
        #expect(
            facts.characters[0] == ["name": "Mira", "role": "hero", "age": 9, "traits": ["brave", "kind"]]
        )
        #expect(facts.characters[1] == ["name": "Bo", "role": "rival"])
    }
}
