import FunctionCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct JSONCoderTests {
    enum Style: String, Codable {
        case calm, loud
    }

    enum Shape: Codable, Equatable {
        case circle(radius: Double)
        case point
    }

    struct Scene: Codable, Equatable {
        var title: String
        var seconds: Double
        var style = Style.calm
        var tags: [String]?
        var byte: UInt8 = 0
    }

    struct Film: Codable, Equatable {
        var title: String
        var note: String?
        var scenes: [Scene]
        var counts: [String: Int]
        var places: [Int: String]
        var shape: Shape
        var matrix: [[Float]]
        var maybe: [Int?]
        var extra: JSON
        var object: JSONObject
        var poster: Bytes
        var at: Instant
        var length: Duration
        var big: Int64
        var unsigned: UInt
        var only: Set<String>
    }

    static let film = Film(
        title: "Été \"1\"",
        note: nil,
        scenes: [
            Scene(title: "one", seconds: 1.5, style: .loud, tags: ["a", "b"], byte: 255),
            Scene(title: "two", seconds: 2, tags: nil),
        ],
        counts: ["x": 1, "12": -2],
        places: [3: "three"],
        shape: .circle(radius: 0.25),
        matrix: [[0.1, 2], []],
        maybe: [1, nil, 3],
        extra: ["any": [1, 2.5, nil, "x"]],
        object: ["z": 1, "a": 2],
        poster: Bytes([0, 255, 1]),
        at: Instant(seconds: 1_769_851_800),
        length: .milliseconds(12_300),
        big: .min,
        unsigned: 7,
        only: ["set"]
    )

    @Test("a rich type reads back the same, by bytes and by tree")
    func readsBack() throws {
        let bytes = try JSONCoder.encode(Self.film, pretty: true, sortedKeys: true)
        #expect(try JSONCoder.decode(Film.self, from: bytes) == Self.film)
        let json = try JSONCoder.json(of: Self.film)
        #expect(try JSONCoder.decode(from: json) == Self.film)
        #expect(json["matrix"]?.text == "[[0.1,2.0],[]]")
        #expect(json["poster"] == "AP8B")
        #expect(json["at"] == "2026-01-31T09:30:00Z")
        #expect(json["length"] == 12.3)
        #expect(json["shape"] == ["circle": ["radius": 0.25]])
        #expect(json["object"]?.text == "{\"z\":1,\"a\":2}")
        #expect(json["note"] == nil)
        #expect(json.objectValue?.keys.prefix(2) == ["title", "scenes"])
    }

    /// The film as a tree with one value replaced, by a path of names and places.
    static func film(with value: JSON?, at path: [JSON]) throws -> JSON {
        func replaced(_ json: JSON, _ path: ArraySlice<JSON>) -> JSON? {
            guard let step = path.first else { return value }
            if let name = step.stringValue, var object = json.objectValue {
                object[name] = replaced(object[name] ?? .null, path.dropFirst())
                return .object(object)
            }
            guard let place = step.intValue, var elements = json.arrayValue else { return json }
            elements[place] = replaced(elements[place], path.dropFirst()) ?? .null
            return .array(elements)
        }
        return try #require(replaced(JSONCoder.json(of: film), path[...]))
    }

    static let failures: [([JSON], JSON?, String, JSONError.Code)] = [
        (["scenes", 1, "seconds"], "2", "scenes[1].seconds: expected a number, found a string", .mismatch),
        (["scenes", 0, "title"], nil, "scenes[0].title: is required", .missing),
        (["title"], nil, "title: is required", .missing),
        (["title"], .some(.null), "title: expected a string, found null", .mismatch),
        (["note"], 1, "note: expected a string, found a number", .mismatch),
        (["scenes"], ["a": 1], "scenes: expected an array, found an object", .mismatch),
        (["scenes", 0], true, "scenes[0]: expected an object, found a boolean", .mismatch),
        (["scenes", 0, "tags", 1], [], "scenes[0].tags[1]: expected a string, found an array", .mismatch),
        (["scenes", 0, "byte"], 256, "scenes[0].byte: must be a whole number from 0 to 255", .invalid),
        (["scenes", 0, "byte"], -1, "scenes[0].byte: must be a whole number from 0 to 255", .invalid),
        (["scenes", 0, "byte"], 1.5, "scenes[0].byte: must be a whole number", .invalid),
        (
            ["big"], 1e19, "big: must be a whole number from -9223372036854775808 to 9223372036854775807",
            .invalid
        ),
        (["unsigned"], -1, "unsigned: must be a whole number from 0 to 9223372036854775807", .invalid),
        (["matrix", 0, 1], 1e39, "matrix[0][1]: is beyond the range of Float", .invalid),
        (["counts", "12"], "x", "counts.12: expected a number, found a string", .mismatch),
        (["counts", "a b"], "x", "counts[\"a b\"]: expected a number, found a string", .mismatch),
        (["scenes", 0, "style"], 1, "scenes[0].style: expected a string, found a number", .mismatch),
        (["poster"], "A", "poster: must be Base64 text in the standard alphabet, with padding", .invalid),
        (["at"], "soon", "at: must be a time as in RFC 3339, such as 2026-01-31T09:30:00Z", .invalid),
        (["length"], .number(1e300), "length: is beyond the range of a duration", .invalid),
        (["object"], [1], "object: expected an object, found an array", .mismatch),
    ]

    @Test("a value that does not fit its type is refused with its path and the rule", arguments: failures)
    func namesThePath(path: [JSON], value: JSON?, message: String, code: JSONError.Code) throws {
        let json = try Self.film(with: value, at: path)
        let error = #expect(throws: JSONError.self) { try JSONCoder.decode(Film.self, from: json) }
        #expect(error?.message == message)
        #expect(error?.code == code)
    }

    @Test("an unknown case of an enum is refused with its path")
    func refusesUnknownCase() throws {
        let json = try Self.film(with: "odd", at: ["scenes", 0, "style"])
        let error = #expect(throws: JSONError.self) { try JSONCoder.decode(Film.self, from: json) }
        #expect(error?.path == "scenes[0].style")
        #expect(error?.code == .invalid)
    }

    @Test("whole numbers are read from any notation, and floating point from whole numbers")
    func convertsNumbers() throws {
        #expect(try JSONCoder.decode([Int].self, from: "[1, 2.0, 3e2]") == [1, 2, 300])
        #expect(try JSONCoder.decode([Double].self, from: "[1, 0.5]") == [1, 0.5])
        #expect(try JSONCoder.decode(Duration.self, from: "0.25") == .milliseconds(250))
        #expect(try JSONCoder.decode(Duration.self, from: "-90") == .seconds(-90))
        #expect(try JSONCoder.decode(String.self, from: "\"x\"") == "x")
        #expect(try JSONCoder.decode(Int?.self, from: "null") == nil)
        #expect(try JSONCoder.encode(Int?.none).text == "null")
        #expect(try JSONCoder.encode(Duration.seconds(2)).text == "2")
        #expect(
            try JSONCoder.encode([Int64.min, Int64.max]).text == "[-9223372036854775808,9223372036854775807]"
        )
    }

    @Test("a value that JSON cannot express is refused with its path")
    func refusesUnwritable() {
        func message(_ value: some Encodable) -> String? {
            #expect(throws: JSONError.self) { try JSONCoder.encode(value) }?.message
        }
        let remedy = "encode null or a string instead"
        #expect(message(["a": [1, Double.nan]]) == "a[1]: JSON has no number for nan; \(remedy)")
        #expect(
            message(Scene(title: "", seconds: .infinity)) == "seconds: JSON has no number for inf; \(remedy)"
        )
        #expect(message(-Float.infinity) == "JSON has no number for -inf; \(remedy)")
        #expect(message([UInt64.max])?.hasPrefix("[0]: 18446744073709551615 is above") == true)
    }

    struct Picky: Codable {
        struct Refusal: Error {}

        init() {}

        init(from decoder: any Decoder) throws { throw Refusal() }

        func encode(to encoder: any Encoder) throws { throw Refusal() }
    }

    @Test("an error of a type's own coding is the cause, and its path is kept")
    func keepsTheCause() {
        let decoding = #expect(throws: JSONError.self) {
            try JSONCoder.decode([String: [Picky]].self, from: "{\"a\":[{}]}")
        }
        #expect(decoding?.cause is Picky.Refusal)
        #expect(decoding?.path == "a[0]")
        #expect(decoding?.code == .invalid)
        let encoding = #expect(throws: JSONError.self) { try JSONCoder.encode(["a": [Picky()]]) }
        #expect(encoding?.cause is Picky.Refusal)
        #expect(encoding?.path == "a[0]")
        #expect(encoding?.code == .unwritable)
    }

    @Test("bytes that are not JSON are refused before the type is looked at")
    func refusesBadSyntax() {
        let error = #expect(throws: JSONError.self) { try JSONCoder.decode(Film.self, from: "{\"title\" 1}") }
        #expect(error?.message == "expected ':' after a member name, at line 1 column 10")
    }
}
