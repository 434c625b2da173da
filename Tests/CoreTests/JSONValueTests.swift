import FunctionCore
import Seeds
import Testing

@Suite(.timeLimit(.minutes(1)))
struct JSONValueTests {
    @Test("literals, subscripts and accessors reach every kind of value")
    func readsByAccessors() {
        let json: JSON = [
            "text": "a\(1)", "whole": 3, "fraction": 2.5, "round": 4.0, "on": true, "none": nil,
            "list": [1, "two"],
        ]
        #expect(json["text"]?.stringValue == "a1")
        #expect(json["whole"]?.intValue == 3)
        #expect(json["whole"]?.doubleValue == 3)
        #expect(json["fraction"]?.doubleValue == 2.5)
        #expect(json["fraction"]?.intValue == nil)
        #expect(json["round"]?.intValue == 4)
        #expect(JSON.number(1e17).intValue == nil)
        #expect(json["on"]?.boolValue == true)
        #expect(json["none"]?.isNull == true)
        #expect(json["list"]?[1] == "two")
        #expect(json["list"]?[2] == nil)
        #expect(json["list"]?[-1] == nil)
        #expect(json["list"]?.arrayValue?.count == 2)
        #expect(json["absent"] == nil)
        #expect(json["text"]?["inner"] == nil)
        #expect(json.objectValue?.keys.first == "text")
        #expect(json.stringValue == nil && json[0] == nil && !json.isNull)
    }

    @Test("objects compare and hash without regard to the order of their members")
    func comparesWithoutOrder() {
        let one: JSON = ["a": 1, "b": [2, 3]]
        let other: JSON = ["b": [2, 3], "a": 1]
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        #expect(one != ["a": 1])
        #expect(one != ["a": 1, "c": [2, 3]])
        #expect(JSON.integer(1) != JSON.number(1))
    }

    @Test("an object keeps its order through sets and removals, small and large")
    func keepsOrder() {
        for count in [3, 16, 17, 200] {
            var object = JSONObject()
            for place in 0..<count { object["k\(place)"] = .integer(Int64(place)) }
            #expect(object.count == count)
            #expect(object.keys == (0..<count).map { "k\($0)" })
            object["k1"] = "new"
            object["k0"] = nil
            #expect(object.removeValue(forKey: "k0") == nil)
            #expect(object.count == count - 1)
            #expect(object[0].key == "k1" && object[0].value == "new")
            for place in 2..<count { #expect(object["k\(place)"] == .integer(Int64(place))) }
            object["k0"] = 0
            #expect(object.keys.last == "k0")
            #expect(object.contains(key: "k0") && !object.contains(key: "kx"))
        }
    }

    static let written: [(JSON, String)] = [
        (nil, "null"), (true, "true"), (.integer(.min), "-9223372036854775808"), (0, "0"), (120, "120"),
        (1.0, "1.0"), (0.1, "0.1"), (.number(-0.0), "-0.0"), (.number(1e100), "1e+100"),
        (.number(.leastNonzeroMagnitude), "5e-324"),
        (.number(.nan), "null"), (.number(-.infinity), "null"), ("", "\"\""), ("</script>", "\"</script>\""),
        (
            "a\"b\\c/\u{8}\u{C}\n\r\t\u{1}\u{1F}\u{7F}é😀",
            "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7F}é😀\""
        ),
        ([], "[]"), ([1, [2]], "[1,[2]]"), ([:], "{}"), (["b": 1, "a\n": nil], "{\"b\":1,\"a\\n\":null}"),
    ]

    @Test("a value is written as compact text", arguments: written)
    func writesCompact(json: JSON, text: String) {
        #expect(json.text == text)
        #expect(json.bytes() == Bytes(text))
    }

    @Test("pretty text has a line for each member, and sorted names come in the order of their bytes")
    func writesPretty() {
        let json: JSON = ["b": [1, [:]], "a": [:], "B": [], "é": ["x": nil]]
        let expected = """
            {
              "B": [],
              "a": {},
              "b": [
                1,
                {}
              ],
              "é": {
                "x": null
              }
            }
            """
        #expect(json.bytes(pretty: true, sortedKeys: true).text == expected)
        #expect(json.bytes(sortedKeys: true).text == "{\"B\":[],\"a\":{},\"b\":[1,{}],\"é\":{\"x\":null}}")
    }

    @Test("a random value reads back the same from compact, pretty and sorted text", arguments: [1, 2, 3, 4])
    func readsBackRandomValues(seed: UInt64) throws {
        var generator = SeededRandom(seed)
        for _ in 0..<300 {
            let json = Self.random(depth: 5, &generator)
            #expect(try JSON.parse(json.bytes()) == json)
            #expect(try JSON.parse(json.bytes(pretty: true, sortedKeys: true)) == json)
        }
    }

    @Test("a random double reads back bit for bit")
    func readsBackDoubles() throws {
        var generator = SeededRandom(11)
        for round in 0..<20_000 {
            let number =
                round.isMultiple(of: 2)
                ? Double(bitPattern: generator.next())
                : Double(Int.random(in: -1_000_000...1_000_000, using: &generator)) / 1000
            guard number.isFinite else { continue }
            let value = try JSON.parse(JSON.number(number).bytes())
            #expect(value.doubleValue?.bitPattern == number.bitPattern)
        }
    }

    @Test("a decimal with few digits reads as the nearest double")
    func readsNearestDouble() throws {
        var generator = SeededRandom(12)
        for _ in 0..<20_000 {
            let digits = UInt64.random(in: 0...99_999_999_999_999_999, using: &generator)
            let text = "\(digits)e\(Int.random(in: -40...40, using: &generator))"
            #expect(try JSON.parse(Bytes(text)).doubleValue == Double(text))
        }
    }

    static func random(depth: Int, _ generator: inout SeededRandom) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2:
            return .integer(
                Int64(bitPattern: generator.next()) >> Int64.random(in: 0...63, using: &generator)
            )
        case 3:
            let number = Double(bitPattern: generator.next())
            return .number(number.isFinite ? number : 0.5)
        case 4, 5: return .string(randomText(&generator))
        case 6:
            let count = Int.random(in: 0...5, using: &generator)
            return .array((0..<count).map { _ in random(depth: depth - 1, &generator) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0...20, using: &generator) {
                object[randomText(&generator)] = random(depth: depth - 2, &generator)
            }
            return .object(object)
        }
    }

    private static func randomText(_ generator: inout SeededRandom) -> String {
        let pieces = [
            "a", "Z", "0", " ", "\"", "\\", "/", "\n", "\u{0}", "\u{1F}", "\u{7F}", "é", "€", "😀",
            "\u{10FFFF}",
        ]
        let count = Int.random(in: 0...30, using: &generator)
        return (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    }
}
