import FunctionCore
import Testing

/// Types that use their encoder in odd ways: what comes out is one valid document, or an error.
@Suite(.timeLimit(.minutes(1)))
struct JSONMisuseTests {
    enum Key: String, CodingKey {
        case a, b, c
    }

    /// Encodes itself by a closure.
    struct Odd: Encodable {
        let body: (any Encoder) throws -> Void

        func encode(to encoder: any Encoder) throws { try body(encoder) }
    }

    private func text(_ body: @escaping (any Encoder) throws -> Void) throws -> String {
        try JSONCoder.encode([Odd(body: body)]).text
    }

    @Test("of a name that is written twice the last value stays")
    func keepsTheLastValue() throws {
        let twice = try text { encoder in
            var object = encoder.container(keyedBy: Key.self)
            try object.encode(1, forKey: .a)
            try object.encode("b", forKey: .b)
            var again = encoder.container(keyedBy: Key.self)
            try again.encode([2.5], forKey: .a)
        }
        #expect(twice == #"[{"a":[2.5],"b":"b"}]"#)
        let many = try JSONCoder.encode(
            Odd { encoder in
                var object = encoder.container(keyedBy: Place.self)
                for place in 0..<100 { try object.encode(place, forKey: Place(intValue: place)) }
                try object.encode(-1, forKey: Place(intValue: 70))
            }
        )
        let object = try #require(JSON.parse(many).objectValue)
        #expect(object.count == 100)
        #expect(object["70"] == -1)
    }

    struct Place: CodingKey {
        let stringValue: String
        let intValue: Int?

        init(intValue: Int) {
            self.intValue = intValue
            self.stringValue = "\(intValue)"
        }

        init?(stringValue: String) { nil }
    }

    struct Refusal: Error {}

    @Test("what was written before an error that the type catches is taken back")
    func takesBackAfterErrors() throws {
        let caught = try text { encoder in
            var object = encoder.container(keyedBy: Key.self)
            try? object.encode([1, Double.nan], forKey: .a)
            let refusing = Odd { encoder in
                var inner = encoder.container(keyedBy: Key.self)
                try inner.encode(1, forKey: .c)
                var list = inner.nestedUnkeyedContainer(forKey: .b)
                try list.encode(1)
                throw Refusal()
            }
            try? object.encode(refusing, forKey: .b)
            try object.encode("kept", forKey: .c)
        }
        #expect(caught == #"[{"c":"kept"}]"#)
        let elements = try text { encoder in
            var list = encoder.unkeyedContainer()
            try? list.encode(Double.infinity)
            #expect(list.count == 0)
            try list.encode(1)
            try? list.encode(["x": Double.infinity])
            try list.encode(2)
        }
        #expect(elements == "[[1,2]]")
        let single = try text { encoder in
            var value = encoder.singleValueContainer()
            try? value.encode(["a": Odd { _ in throw Refusal() }])
            try value.encode("instead")
        }
        #expect(single == #"["instead"]"#)
    }

    @Test("an error deep inside names its whole path, after others were caught")
    func namesThePath() {
        let error = #expect(throws: JSONError.self) {
            try text { encoder in
                var object = encoder.container(keyedBy: Key.self)
                try object.encode(1, forKey: .a)
                try? object.encode(Double.nan, forKey: .b)
                try object.encode(["x y": [[0.5], [1, .nan]]], forKey: .c)
            }
        }
        #expect(error?.path == "[0].c[\"x y\"][1][1]")
    }

    @Test("a container that outlives its value cannot write into another one")
    func refusesLateWrites() throws {
        final class Keeper {
            var object: KeyedEncodingContainer<Key>?
        }
        let keeper = Keeper()
        let keeping = Odd { encoder in
            var object = encoder.container(keyedBy: Key.self)
            try object.encode(1, forKey: .a)
            keeper.object = object
        }
        let writing = Odd { encoder in
            #expect(throws: JSONError.self) { try keeper.object?.encode(2, forKey: .b) }
            var kept = try #require(keeper.object)
            var inner = kept.nestedContainer(keyedBy: Key.self, forKey: .c)
            try inner.encode(3, forKey: .a)
            var object = encoder.container(keyedBy: Key.self)
            #expect(throws: JSONError.self) { try keeper.object?.encode(2, forKey: .b) }
            try object.encode(4, forKey: .b)
        }
        #expect(try JSONCoder.encode([keeping, writing]).text == #"[{"a":1},{"b":4}]"#)
        #expect(throws: JSONError.self) { try keeper.object?.encode(2, forKey: .b) }
    }

    @Test("containers handed out for later end up in their places, in whatever order they are written")
    func placesLaterContainers() throws {
        let result = try text { encoder in
            var object = encoder.container(keyedBy: Key.self)
            var list = object.nestedUnkeyedContainer(forKey: .a)
            var inner = list.nestedContainer(keyedBy: Key.self)
            try object.encode("plain", forKey: .b)
            var last = object.superEncoder(forKey: .c).singleValueContainer()
            try list.encode(2)
            try last.encode([Odd { _ in }])
            try inner.encode(1, forKey: .a)
        }
        #expect(result == #"[{"a":[{"a":1},2],"b":"plain","c":[{}]}]"#)
    }
}
