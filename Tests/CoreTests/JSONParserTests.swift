import FunctionCore
import Seeds
import Testing

@Suite(.timeLimit(.minutes(1)))
struct JSONParserTests {
    static let valid: [(Bytes, JSON)] = [
        ("null", nil), ("true", true), (" false\n", false), ("0", 0), ("-0", .number(-0.0)), ("-1", -1),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("-9223372036854775809", .number(-9_223_372_036_854_775_808)),
        ("18446744073709551616", .number(18_446_744_073_709_551_616)),
        ("100000000000000000000000", .number(1e23)),
        ("1.0", 1.0), ("0.1", 0.1), ("-0.0", .number(-0.0)), ("1e3", .number(1000)), ("1E+2", .number(100)),
        ("1e-2", 0.01), ("123.456e5", .number(12_345_600)), ("1e-400", .number(0)),
        ("0e999999999999999999999", 0.0),
        ("5e-324", .number(.leastNonzeroMagnitude)),
        ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
        ("9007199254740993.0", .number(9_007_199_254_740_992)), ("0.30000000000000004", 0.30000000000000004),
        ("2.2250738585072011e-308", .number(.leastNormalMagnitude.nextDown)),
        ("\"\"", ""), ("\"a\"", "a"), ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{C}\n\r\t"),
        ("\"\\u0041\\u00e9\\u20AC\"", "Aé€"), ("\"\\ud83d\\ude00\"", "😀"),
        ("\"\\uDBFF\\uDFFF\"", "\u{10FFFF}"),
        ("\"\\u0000\"", "\0"), ("\"é€😀\"", "é€😀"), ("\"\u{7F}\u{2028}\"", "\u{7F}\u{2028}"),
        ("\"0123456789é\\n0123456789\"", "0123456789é\n0123456789"),
        ("[]", []), ("[ ]", []), ("[1]", [1]), (" [ 1 , [ ] , \"x\" ] ", [1, [], "x"]),
        ("{}", [:]), ("{ }", [:]), ("{\"a\":1}", ["a": 1]), ("{\"\":null}", ["": nil]),
        ("\t{ \"a\" : { \"b\" : [ ] } , \"c\" : -1 }\r\n", ["a": ["b": []], "c": -1]),
    ]

    @Test("a document of RFC 8259 is read as the value it states", arguments: valid)
    func readsValid(document: Bytes, expected: JSON) throws {
        let value = try JSON.parse(document)
        #expect(value == expected)
        if let number = expected.doubleValue {
            #expect(value.doubleValue?.sign == number.sign)
        }
    }

    static let invalid: [(Bytes, String)] = [
        ("", "expected a value but the document ends, at line 1 column 1"),
        (" \n ", "expected a value but the document ends, at line 2 column 2"),
        ("{\n \"a\": 1,\n \"b\": 2 \"c\"}", "expected ',' or '}' after a member, at line 3 column 9"),
        ("[1 2]", "expected ',' or ']' after an element, at line 1 column 4"),
        ("[1,]", "expected a value, at line 1 column 4"),
        ("[,1]", "expected a value, at line 1 column 2"),
        ("[1", "expected ',' or ']' after an element but the document ends, at line 1 column 3"),
        ("[", "expected a value but the document ends, at line 1 column 2"),
        ("]", "expected a value, at line 1 column 1"),
        ("{\"a\":1,}", "expected a member name in quotes, at line 1 column 8"),
        ("{a:1}", "expected a member name in quotes, at line 1 column 2"),
        ("{\"a\" 1}", "expected ':' after a member name, at line 1 column 6"),
        ("{\"a\":}", "expected a value, at line 1 column 6"),
        ("{1:1}", "expected a member name in quotes, at line 1 column 2"),
        ("1 2", "expected nothing but white space after the value, at line 1 column 3"),
        ("{}}", "expected nothing but white space after the value, at line 1 column 3"),
        ("nul", "expected a value; words other than true, false and null need quotes but the document ends"),
        ("nulL", "expected a value; words other than true, false and null need quotes, at line 1 column 1"),
        ("True", "expected a value; words other than"), ("NaN", "expected a value; words other than"),
        ("Infinity", "expected a value; words other than"), ("'a'", "expected a value; words other than"),
        ("truex", "expected nothing but white space"),
        ("+1", "expected a value"), (".5", "expected a value"),
        ("-", "expected a digit but the document ends"),
        ("1.", "expected a digit but the document ends"), ("1.e1", "expected a digit, at line 1 column 3"),
        ("1e", "expected a digit but"), ("1e+", "expected a digit but"), ("--1", "expected a digit"),
        ("-a", "expected a digit"), ("01", "a number must not begin with a zero, at line 1 column 1"),
        ("-012", "a number must not begin with a zero, at line 1 column 2"),
        ("00.5", "a number must not begin"),
        ("0x1", "expected nothing but white space"), ("1_000", "expected nothing but white space"),
        ("1e400", "a number is beyond the range of a double, at line 1 column 1"),
        ("-1e999999999999999999999", "a number is beyond the range of a double"),
        ("\"abc", "expected '\"' at the end of a string but the document ends, at line 1 column 5"),
        ("\"a\nb\"", "control characters in a string must be escaped, at line 1 column 3"),
        ("\"a\\tb\u{1F}\"", "control characters in a string must be escaped"),
        ("\"long enough for words \u{0}\"", "control characters in a string must be escaped"),
        ("\"\\x\"", "expected one of \" \\ / b f n r t u after a backslash, at line 1 column 3"),
        ("\"\\", "expected one of"),
        ("\"\\u12g4\"", "expected four hexadecimal digits after \\u, at line 1 column 6"),
        ("\"\\u12", "expected four hexadecimal digits after \\u but the document ends"),
        ("\"\\ud800\"", "half of a surrogate pair stands alone, at line 1 column 2"),
        ("\"\\ude00\"", "half of a surrogate pair"), ("\"\\ud83d\\n\"", "half of a surrogate pair"),
        ("\"\\ud83d\\ud83d\"", "half of a surrogate pair"),
        ("\u{FEFF}{}", "must not begin with a byte order mark"),
        ("/* c */ 1", "expected a value"), ("[1] // c", "expected nothing but"),
        ("\u{A0}1", "expected a value"),
        ("\"é😀\" x", "expected nothing but white space after the value, at line 1 column 6"),
    ]

    @Test("a document that breaks a rule is refused with the rule and the place", arguments: invalid)
    func refusesInvalid(document: Bytes, message: String) throws {
        let error = #expect(throws: JSONError.self) { try JSON.parse(document) }
        #expect(error?.code == .syntax)
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
        #expect(error?.line != nil)
    }

    static let invalidText: [[UInt8]] = [
        [0x80], [0xBF], [0xC0, 0xAF], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0xAF], [0xE2, 0x82],
        [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0xAF], [0xF0, 0x9F, 0x98],
        [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xE2, 0x28, 0xA1], [0xF0, 0x28, 0x8C, 0xBC],
    ]

    @Test("a string that is not UTF-8 is refused, with and without escapes", arguments: invalidText)
    func refusesInvalidText(text: [UInt8]) throws {
        for prefix in ["", "\\n", "0123456789"] {
            let document = Bytes(Array("[\"\(prefix)".utf8) + text + Array("\"]".utf8))
            let error = #expect(throws: JSONError.self) { try JSON.parse(document) }
            #expect(
                error?.message == "a string is not valid UTF-8, at line 1 column \(3 + prefix.utf8.count)"
            )
        }
    }

    @Test("of a name that occurs twice the last value counts, in the first one's place")
    func lastNameWins() throws {
        let object = try #require(try JSON.parse("{\"a\":1,\"b\":2,\"a\":3}").objectValue)
        #expect(object.keys == ["a", "b"])
        #expect(object["a"] == 3)
    }

    @Test("a bomb of nested arrays or objects is refused at the limit, and nesting up to it is read")
    func refusesDeepNesting() throws {
        for (opening, closing) in [("[", "]"), ("{\"a\":", "}")] {
            let bomb = Bytes(String(repeating: opening, count: 1_000_000))
            let error = #expect(throws: JSONError.self) { try JSON.parse(bomb) }
            #expect(error?.code == .limit)
            #expect(error?.reason == "arrays and objects nest too deep (the limit is 128)")
            let inner = opening == "[" ? "" : "1"
            func nested(_ depth: Int) -> Bytes {
                Bytes(
                    String(repeating: opening, count: depth) + inner
                        + String(repeating: closing, count: depth)
                )
            }
            _ = try JSON.parse(nested(128))
            #expect(throws: JSONError.self) { try JSON.parse(nested(129)) }
            #expect(throws: JSONError.self) { try JSON.parse(nested(4), limits: JSON.Limits(depth: 3)) }
        }
    }

    @Test("a document with more values than the limit is refused")
    func refusesTooManyValues() throws {
        _ = try JSON.parse("[1,2,3]", limits: JSON.Limits(values: 4))
        let error = #expect(throws: JSONError.self) {
            try JSON.parse("[1,2,3,4]", limits: JSON.Limits(values: 4))
        }
        #expect(error?.code == .limit)
    }

    static let sample: Bytes = """
        {"title":"Caf\\u00e9 \\ud83d\\ude00 é😀","scenes":[{"seconds":1.5e2,"tags":["a","b\\n"],
        "on":true},{"seconds":-12,"tags":[],"on":false,"note":null}],
        "long text without any escape in it":9007199254740993.25}
        """

    @Test("a document cut off anywhere is refused, without a crash")
    func survivesTruncation() throws {
        _ = try JSON.parse(Self.sample)
        for length in 0..<Self.sample.count {
            let cut = Bytes(Array(Self.sample.array.prefix(length)))
            #expect(throws: JSONError.self) { try JSON.parse(cut) }
        }
    }

    @Test("a document with any byte replaced is read or refused, without a crash")
    func survivesDamage() throws {
        var generator = SeededRandom(7)
        var refused = 0
        for place in 0..<Self.sample.count {
            for _ in 0..<16 {
                var damaged = Self.sample
                damaged.array[place] = UInt8.random(in: 0...255, using: &generator)
                guard let value = try? JSON.parse(damaged) else {
                    refused += 1
                    continue
                }
                #expect(try JSON.parse(value.bytes()) == value)
            }
        }
        #expect(refused > Self.sample.count)
    }
}
