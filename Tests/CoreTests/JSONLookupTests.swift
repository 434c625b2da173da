import FunctionCore
import Seeds
import Testing

/// Members found in the text: any order, names written twice, names spelt in several ways.
@Suite(.timeLimit(.minutes(1)))
struct JSONLookupTests {
    struct Row: Codable, Equatable {
        var a: Int?
        var bb: String?
        var a_long_name: Double?
        var a_long_nama: Bool?
        var é: [Int]?
        var K: [String: String]?
    }

    @Test("members are found in any order, among others that the type does not ask for")
    func findsMembersInAnyOrder() throws {
        var generator = SeededRandom(21)
        let full = Row(a: 1, bb: "b", a_long_name: 0.5, a_long_nama: true, é: [1, 2], K: ["x": "y"])
        let members = try #require(JSONCoder.json(of: full).objectValue).map { ($0.key, $0.value) }
        for size in [0, 3, 60, 70, 500] {
            for _ in 0..<20 {
                let others = (0..<size).map { ("other\($0)", JSON.array([.integer(Int64($0)), [:]])) }
                let object = JSONObject((members + others).shuffled(using: &generator))
                #expect(try JSONCoder.decode(Row.self, from: JSON.object(object).bytes()) == full)
                #expect(try JSONCoder.decode(Row.self, from: JSON.object(object)) == full)
            }
            let others = JSONObject((0..<size).map { ("other\($0)", JSON.null) })
            #expect(try JSONCoder.decode(Row.self, from: JSON.object(others).bytes()) == Row())
        }
    }

    @Test("of a name that occurs twice the last value counts, in small and in large objects")
    func lastNameWins() throws {
        for size in [0, 5, 100] {
            let others = (0..<size).map { "\"o\($0)\":[{}]," }.joined()
            let text = "{\"a\":1,\"bb\":\"first\",\(others)\"a\":{},\"bb\":\"second\",\"a\":3}"
            let row = try JSONCoder.decode(Row.self, from: Bytes(text))
            #expect(row == Row(a: 3, bb: "second"))
            let dictionary = try JSONCoder.decode([String: JSON].self, from: Bytes(text))
            #expect(dictionary.count == size + 2)
            #expect(dictionary["a"] == 3)
            #expect(try JSON.parse(Bytes(text)).objectValue?.keys.prefix(2) == ["a", "bb"])
        }
    }

    @Test("a name is the same however it is spelt: by escapes, or by Unicode's other forms")
    func comparesNamesAsText() throws {
        for text in [#"{"\u0061":7}"#, #"{"a":1,"\u0061":7}"#, #"{"\u0061":1,"a":7}"#] {
            #expect(try JSONCoder.decode(Row.self, from: Bytes(text)).a == 7)
        }
        for text in ["{\"é\":[7]}", "{\"e\u{301}\":[7]}", #"{"\u00e9":[7]}"#, #"{"e\u0301":[7]}"#] {
            #expect(try JSONCoder.decode(Row.self, from: Bytes(text)).é == [7])
        }
        // The sign for kelvin is canonically equal to the letter.
        #expect(try JSONCoder.decode(Row.self, from: "{\"\u{212A}\":{}}").K == [:])
        #expect(try JSONCoder.decode([String: Int].self, from: "{\"K\":1}") == ["\u{212A}": 1])
        // A backslash in a key is no escape.
        #expect(try JSONCoder.decode([String: Int].self, from: #"{"\\u0061":1}"#) == ["\\u0061": 1])
    }

    @Test("a fault of syntax in a member that nobody asks for is still a fault")
    func refusesFaultsInUnusedMembers() {
        for text in [
            #"{"a":1,"unused":[01]}"#, #"{"a":1,"unused":"\ud800"}"#, #"{"a":1,"unused":1e999}"#,
            #"{"a":1} {}"#,
        ] {
            let error = #expect(throws: JSONError.self) { try JSONCoder.decode(Row.self, from: Bytes(text)) }
            #expect(error?.code == .syntax)
        }
        let error = #expect(throws: JSONError.self) {
            try JSONCoder.decode(Row.self, from: "{\"x\":[[1]]}", limits: JSON.Limits(depth: 2))
        }
        #expect(error?.code == .limit)
    }

    /// Notes the path and the fault of each element that is no number, and goes on.
    struct Tolerant: Decodable {
        struct Element: Decodable {
            let fault: String?

            init(from decoder: any Decoder) throws {
                do {
                    _ = try decoder.singleValueContainer().decode(Int.self)
                    fault = nil
                } catch DecodingError.typeMismatch(_, let context) {
                    fault = context.codingPath.map(\.stringValue).joined(separator: "/")
                }
            }
        }

        let first: [Element]
        let second: [String: [Element]]
    }

    @Test("an error's path is right wherever the one before it was")
    func findsPathsInAnyOrder() throws {
        let text: Bytes = """
            {"second": {"a": [1, "x", 2, "y"], "b": ["z"]}, "first": ["u", 1, true, {"deep": []}, [], "v"]}
            """
        for _ in 0..<3 {
            let value = try JSONCoder.decode([Tolerant].self, from: Bytes("[\(text.text),\(text.text)]"))
            for (place, each) in value.enumerated() {
                let first = ["0", "2", "3", "4", "5"].map { "\(place)/first/\($0)" }
                #expect(each.first.compactMap(\.fault) == first)
                let a = ["1", "3"].map { "\(place)/second/a/\($0)" }
                #expect(each.second["a"]?.compactMap(\.fault) == a)
                #expect(each.second["b"]?.compactMap(\.fault) == ["\(place)/second/b/0"])
            }
        }
        // As many faults as elements: each walk goes on where the last one ended.
        let many = Bytes("[\(Array(repeating: "\"x\"", count: 20_000).joined(separator: ","))]")
        let faults = try JSONCoder.decode([Tolerant.Element].self, from: many).compactMap(\.fault)
        #expect(faults.count == 20_000 && faults.last == "19999")
    }

    /// Reads itself from whatever is there, by asking in vain first.
    indirect enum Anything: Codable {
        case null, bool(Bool), integer(Int64), number(Double), text(String)
        case list([Anything])
        case members([String: Anything])

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .null
            } else if let bool = try? value.decode(Bool.self) {
                self = .bool(bool)
            } else if let integer = try? value.decode(Int64.self) {
                self = .integer(integer)
            } else if let number = try? value.decode(Double.self) {
                self = .number(number)
            } else if let text = try? value.decode(String.self) {
                self = .text(text)
            } else if let list = try? value.decode([Anything].self) {
                self = .list(list)
            } else {
                self = .members(try value.decode([String: Anything].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .null: try value.encodeNil()
            case .bool(let bool): try value.encode(bool)
            case .integer(let integer): try value.encode(integer)
            case .number(let number): try value.encode(number)
            case .text(let text): try value.encode(text)
            case .list(let list): try value.encode(list)
            case .members(let members): try value.encode(members)
            }
        }
    }

    /// The value with numbers as `Anything` takes them: whole ones up to 2^53 as integers.
    private static func plain(_ json: JSON) -> JSON {
        switch json {
        case .number: json.intValue.map { .integer(Int64($0)) } ?? json
        case .array(let elements): .array(elements.map(plain))
        case .object(let object): .object(JSONObject(object.map { ($0.key, plain($0.value)) }))
        default: json
        }
    }

    @Test(
        "random documents decode and encode by type as they do as trees",
        arguments: [31, 32, 33] as [UInt64]
    )
    func agreesWithTrees(seed: UInt64) throws {
        var generator = SeededRandom(seed)
        for _ in 0..<300 {
            let json = JSONValueTests.random(depth: 5, &generator)
            let typed = try JSONCoder.decode(Anything.self, from: json.bytes(pretty: true))
            #expect(try JSON.parse(JSONCoder.encode(typed)) == Self.plain(json))
            let bytes = try JSONCoder.encode([json, Self.plain(json)])
            #expect(try JSONCoder.decode([JSON].self, from: bytes) == [json, Self.plain(json)])
        }
    }
}
