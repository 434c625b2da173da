import FunctionCore
import Testing

@testable import Questionnaire

/// One answer to a question of the table, and the rules it breaks.
struct Answered: CustomTestStringConvertible, Sendable {
    var question: String
    var answer: JSON
    var rules: [String]

    init(_ question: String, _ answer: JSON, _ rules: [String] = []) {
        self.question = question
        self.answer = answer
        self.rules = rules
    }

    var testDescription: String { "\(question) ← \(answer)" }
}

@Suite("questionnaire rules", .timeLimit(.minutes(1)))
struct QuestionnaireRulesTests {
    private static let questions: [String: JSON] = [
        "text": ["type": "text", "minLength": 2, "maxLength": 5],
        "longtext": ["type": "longtext", "maxLength": 12],
        "patterned": ["type": "text", "pattern": "[a-z]{2}-\\d+"],
        "number": ["type": "number", "min": -1.5, "max": 10],
        "whole": ["type": "number", "whole": true, "min": 0],
        "date": ["type": "date", "min": "2000-02-29", "max": "today"],
        "email": ["type": "email"],
        "single": ["type": "single", "choices": ["a", "b"]],
        "singleother": ["type": "single", "choices": ["a", "b"], "other": true],
        "multi": ["type": "multi", "choices": ["a", "b", "c"], "minChoices": 2, "maxChoices": 3],
        "boolean": ["type": "boolean"],
        "rating": ["type": "rating", "min": 1, "max": 5],
        "ranking": ["type": "ranking", "choices": ["a", "b", "c"]],
        "matrix": ["type": "matrix", "rows": ["x", "y"], "columns": ["lo", "hi"]],
        "group": [
            "type": "group", "min": 1, "max": 2,
            "questions": [["id": "n", "title": "N", "type": "number", "required": true]],
        ],
    ]

    @Test(
        "each type takes good answers and boundaries, and names the rule that a bad one breaks",
        arguments: [
            Answered("text", "ab"), Answered("text", "abcde"), Answered("text", "äöüßé"),
            Answered("text", "a", ["length"]),
            Answered("text", "abcdef", ["length"]), Answered("text", 12, ["type"]),
            Answered("text", "a\nb", ["line"]),
            Answered("longtext", "a\nb"), Answered("longtext", "1234567890123", ["length"]),
            Answered("patterned", "ab-1"), Answered("patterned", "ab-", ["pattern"]),
            Answered("patterned", "xab-1", ["pattern"]), Answered("number", -1.5), Answered("number", 10),
            Answered("number", 10.001, ["range"]), Answered("number", -2, ["range"]),
            Answered("number", "3", ["type"]),
            Answered("whole", 3), Answered("whole", 3.0), Answered("whole", 3.5, ["type"]),
            Answered("whole", -1, ["range"]),
            Answered("date", "2000-02-29"), Answered("date", "2026-11-21"),
            Answered("date", "2026-11-22", ["range"]),
            Answered("date", "2000-02-28", ["range"]), Answered("date", "2001-02-29", ["date"]),
            Answered("date", "21.11.2026", ["date"]), Answered("date", 20_261_121, ["type"]),
            Answered("email", "a@b.co"), Answered("email", "first.last+tag@sub.example.org"),
            Answered("email", "a@b", ["email"]), Answered("email", "a b@c.de", ["email"]),
            Answered("email", "a@@b.de", ["email"]), Answered("email", ".a@b.de", ["email"]),
            Answered("email", 1, ["type"]),
            Answered("single", "a"), Answered("single", "c", ["choices"]),
            Answered("single", ["a"], ["type"]),
            Answered("single", ["other": "x"], ["type"]), Answered("singleother", ["other": "x"]),
            Answered("singleother", ["other": " "], ["type"]), Answered("singleother", "b"),
            Answered("multi", ["a", "b"]), Answered("multi", ["a", "b", "c"]),
            Answered("multi", ["a"], ["count"]),
            Answered("multi", ["a", "d"], ["choices"]), Answered("multi", ["a", "a"], ["unique"]),
            Answered("multi", "a", ["type"]), Answered("boolean", true), Answered("boolean", false),
            Answered("boolean", "true", ["type"]), Answered("boolean", 1, ["type"]), Answered("rating", 1),
            Answered("rating", 5), Answered("rating", 0, ["range"]), Answered("rating", 6, ["range"]),
            Answered("rating", 2.5, ["type"]), Answered("ranking", ["c", "a", "b"]),
            Answered("ranking", ["c", "a"], ["ranking"]), Answered("ranking", ["c", "a", "a"], ["ranking"]),
            Answered("ranking", ["c", "a", "d"], ["ranking"]), Answered("ranking", "abc", ["type"]),
            Answered("matrix", ["x": "lo", "y": "hi"]), Answered("matrix", ["x": "lo"], ["required"]),
            Answered("matrix", ["x": "lo", "y": "mid"], ["choices"]),
            Answered("matrix", ["x": "lo", "y": "hi", "z": "lo"], ["unknown"]),
            Answered("matrix", [1], ["type"]),
            Answered("group", [["n": 1]]), Answered("group", [["n": 1], ["n": 2]]),
            Answered("group", [["n": 1], ["n": 2], ["n": 3]], ["count"]),
            Answered("group", [[:]], ["required"]),
            Answered("group", [["n": "x", "m": 1]], ["type", "unknown"]), Answered("group", [1], ["type"]),
            Answered("group", ["n": 1], ["type"]),
        ]
    )
    func rule(answered: Answered) throws {
        var question = try #require(Self.questions[answered.question]?.objectValue)
        question["id"] = "q"
        question["title"] = "Q"
        let set = try QuestionSet([.object(question)], at: "test")
        var check = AnswerCheck(today: "2026-11-21")
        let kept = check.keep(["q": answered.answer], of: set, at: "answers")
        #expect(check.faults.map(\.rule) == answered.rules)
        #expect(check.faults.allSatisfy { $0.path.hasPrefix("answers.q") && !$0.message.isEmpty })
        if answered.rules.isEmpty { #expect(kept["q"] == answered.answer) }
    }

    @Test(
        "an empty answer counts as none: refused where it is required, left out elsewhere",
        arguments: [JSON.null, "", " \n", []]
    )
    func empty(answer: JSON) throws {
        for required in [true, false] {
            let set = try QuestionSet(
                [["id": "q", "title": "Q", "type": "longtext", "required": .bool(required)]],
                at: "test"
            )
            var check = AnswerCheck(today: "2026-11-21")
            #expect(check.keep(["q": answer], of: set, at: "answers").isEmpty)
            #expect(check.faults.map(\.rule) == (required ? ["required"] : []))
        }
    }

    @Test(
        "a condition shows its question when it holds",
        arguments: [
            (["question": "a", "equals": 3], 3, true), (["question": "a", "equals": 3], 3.0, true),
            (["question": "a", "equals": "x"], "y", false),
            (["question": "a", "in": ["x", "y"]], "y", true),
            (["question": "a", "gt": 3], 3, false), (["question": "a", "gte": 3], 3, true),
            (["question": "a", "lt": 3], 2.5, true), (["question": "a", "lte": 3], 4, false),
            (["question": "a", "contains": "x"], ["w", "x"], true),
            (["question": "a", "answered": true], nil, false),
            (["question": "a", "answered": false], nil, true), (["question": "a", "gt": 3], "many", false),
            (["all": [["question": "a", "gt": 1], ["question": "a", "lt": 3]]], 2, true),
            (["all": [["question": "a", "gt": 1], ["question": "a", "lt": 3]]], 3, false),
            (["any": [["question": "a", "equals": 1], ["question": "a", "equals": 3]]], 3, true),
            (["not": ["question": "a", "equals": 1]], 1, false),
        ] as [(JSON, JSON, Bool)]
    )
    func condition(condition: JSON, answer: JSON, shown: Bool) throws {
        let condition = try Condition(condition, at: "test")
        #expect(condition.holds(answer.isNull ? [:] : ["a": answer]) == shown)
    }

    @Test("what depends on a hidden question is hidden with it, in whatever order they stand")
    func chain() throws {
        let set = try QuestionSet(
            [
                ["id": "c", "title": "C", "type": "text", "visibleIf": ["question": "b", "equals": "y"]],
                ["id": "b", "title": "B", "type": "text", "visibleIf": ["question": "a", "equals": "x"]],
                ["id": "a", "title": "A", "type": "text"],
            ],
            at: "test"
        )
        var check = AnswerCheck(today: "2026-11-21")
        let kept = check.keep(["a": "no", "b": "y", "c": "z"], of: set, at: "answers")
        #expect(kept == ["a": "no"])
        #expect(check.dropped == ["answers.c", "answers.b"])
    }

    @Test(
        "a broken definition is refused with its place and its rule",
        arguments: [
            (
                #"[{"id":"a","title":"A","type":"text","visibleIf":{"question":"b","equals":1}},"#
                    + #"{"id":"b","title":"B","type":"text","visibleIf":{"question":"c","equals":1}},"#
                    + #"{"id":"c","title":"C","type":"text","visibleIf":{"question":"a","equals":1}}]"#,
                "t@1: visibleIf goes in a circle: a → b → c → a; take one of them away"
            ),
            (
                #"[{"id":"a","title":"A","type":"text","visibleIf":{"question":"a","answered":true}}]"#,
                "t@1: visibleIf goes in a circle: a → a; take one of them away"
            ),
            (
                #"[{"id":"a","title":"A","type":"text","visibleIf":{"question":"z","answered":true}}]"#,
                "t@1.a: visibleIf asks for z, which is no question here"
            ),
            (#"[{"id":"a","title":"A","type":"txt"}]"#, "t@1.a: type txt is none of"),
            (#"[{"id":"a","title":"A","type":"text","requird":true}]"#, "t@1.a: requird means nothing here"),
            (
                #"[{"id":"a","title":"A","type":"text"},{"id":"a","title":"A","type":"text"}]"#,
                "two questions a"
            ),
            (
                #"[{"id":"a","title":"A","type":"single","choices":["x","x"]}]"#,
                "choices[1] needs a value of its own"
            ),
            (#"[{"id":"a","title":"A","type":"date","min":"2001-02-29"}]"#, "min must be a day"),
            (#"[{"id":"a","title":"A","type":"text","pattern":"(a|b)"}]"#, "groups and alternatives"),
            (
                #"[{"id":"a","title":"A","type":"text","minLength":9,"maxLength":3}]"#,
                "minLength must not be above"
            ),
        ]
    )
    func brokenDefinition(questions: String, message: String) throws {
        let text = #"{"name":"t","version":1,"title":"T","questions":"# + questions + "}"
        let error = #expect(throws: DefinitionError.self) { try Definition(text) }
        #expect(error?.description.contains(message) == true)
    }

    @Test(
        "a pattern fits the whole text or nothing",
        arguments: [
            ("a*b", "aaab", true), ("a*b", "b", true), ("a*b", "aaa", false), ("[^0-9]+", "abc", true),
            ("[^0-9]+", "ab1", false), ("\\l+", "Žofie", true), (".{2,3}", "a", false),
            (".{2,3}", "abc", true),
            (".{2,}", "abcdef", true), ("\\d{4}", "2026", true), ("a\\.b", "a.b", true),
            ("a\\.b", "axb", false),
            ("[a-]+", "a-a", true), ("colou?r", "color", true), ("\\w+\\s\\w+", "a_1 b", true),
            ("", "", true),
            ("a*a*a*a*a*a*a*a*b", String(repeating: "a", count: 200), false),
        ]
    )
    func pattern(pattern: String, text: String, fits: Bool) throws {
        #expect(try TextPattern(pattern).matches(text) == fits)
    }
}
