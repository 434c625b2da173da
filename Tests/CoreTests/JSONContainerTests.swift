import FunctionCore
import Testing

/// Hand-written codings: nested containers, inheritance, and misuse.
@Suite(.timeLimit(.minutes(1)))
struct JSONContainerTests {
    enum Key: String, CodingKey {
        case outer, list, inner, missing
    }

    struct Nested: Codable, Equatable {
        var first: Int
        var second: [String]

        init(first: Int, second: [String]) {
            self.first = first
            self.second = second
        }

        init(from decoder: any Decoder) throws {
            let outer = try decoder.container(keyedBy: Key.self)
            let inner = try outer.nestedContainer(keyedBy: Key.self, forKey: .outer)
            first = try inner.decode(Int.self, forKey: .inner)
            var list = try outer.nestedUnkeyedContainer(forKey: .list)
            second = []
            while !list.isAtEnd {
                if try list.decodeNil() { continue }
                var pair = try list.nestedUnkeyedContainer()
                second.append(try pair.decode(String.self))
                let rest = try pair.nestedContainer(keyedBy: Key.self)
                second.append(try rest.decodeIfPresent(String.self, forKey: .inner) ?? "-")
            }
        }

        func encode(to encoder: any Encoder) throws {
            var outer = encoder.container(keyedBy: Key.self)
            var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .outer)
            var list = outer.nestedUnkeyedContainer(forKey: .list)
            try inner.encode(first, forKey: .inner)
            try list.encodeNil()
            for place in stride(from: 0, to: second.count, by: 2) {
                var pair = list.nestedUnkeyedContainer()
                try pair.encode(second[place])
                var rest = pair.nestedContainer(keyedBy: Key.self)
                try rest.encode(second[place + 1], forKey: .inner)
            }
            var again = outer.nestedContainer(keyedBy: Key.self, forKey: .outer)
            try again.encodeNil(forKey: .missing)
        }
    }

    @Test("nested containers write in their places and read back")
    func nestsContainers() throws {
        let value = Nested(first: 1, second: ["a", "b", "c", "d"])
        let text = try JSONCoder.encode(value).text
        #expect(
            text
                == #"{"outer":{"inner":1,"missing":null},"#
                + #""list":[null,["a",{"inner":"b"}],["c",{"inner":"d"}]]}"#
        )
        #expect(try JSONCoder.decode(Nested.self, from: Bytes(text)) == value)
    }

    @Test("errors in nested containers carry the whole path")
    func namesNestedPaths() {
        func message(_ text: Bytes) -> String? {
            #expect(throws: JSONError.self) { try JSONCoder.decode([Nested].self, from: text) }?.message
        }
        #expect(message(#"[{"list":[]}]"#) == "[0].outer: is required")
        #expect(message(#"[{"outer":[],"list":[]}]"#) == "[0].outer: expected an object, found an array")
        #expect(message(#"[{"outer":{},"list":[]}]"#) == "[0].outer.inner: is required")
        #expect(
            message(#"[{"outer":{"inner":1},"list":[null,["a",{"inner":1}]]}]"#)
                == "[0].list[1][1].inner: expected a string, found a number"
        )
        #expect(
            message(#"[{"outer":{"inner":1},"list":[["a"]]}]"#)
                == "[0].list[0]: expected more than 1 elements"
        )
    }

    class Base: Codable {
        var base = 1

        init() {}
    }

    final class Derived: Base {
        var own = 2

        enum Keys: String, CodingKey { case own }

        override init() { super.init() }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            own = try container.decode(Int.self, forKey: .own)
            try super.init(from: container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(own, forKey: .own)
            try super.encode(to: container.superEncoder())
        }
    }

    @Test("a class codes its superclass under the name super, and a missing one is an error")
    func codesSuperclass() throws {
        let text = try JSONCoder.encode(Derived()).text
        #expect(text == #"{"own":2,"super":{"base":1}}"#)
        #expect(try JSONCoder.decode(Derived.self, from: #"{"own":3,"super":{"base":4}}"#).base == 4)
        let error = #expect(throws: JSONError.self) {
            try JSONCoder.decode(Derived.self, from: #"{"own":3}"#)
        }
        #expect(error?.message == "super: expected an object, found null")
    }

    /// Encodes itself by nested containers and keeps an eye on its encoder.
    struct Witness: Encodable {
        final class Watch {
            weak var encoder: AnyObject?
        }

        let watch = Watch()
        let number: Double

        func encode(to encoder: any Encoder) throws {
            watch.encoder = encoder as AnyObject
            var outer = encoder.container(keyedBy: Key.self)
            var inner = outer.nestedContainer(keyedBy: Key.self, forKey: .outer)
            var list = inner.nestedUnkeyedContainer(forKey: .list)
            try list.encode(number)
        }
    }

    @Test("an encoder with nested containers is let go of, whether it succeeded or not")
    func releasesEncoders() throws {
        let good = Witness(number: 1)
        #expect(try JSONCoder.encode(good).text == #"{"outer":{"list":[1.0]}}"#)
        #expect(good.watch.encoder == nil)
        let bad = Witness(number: .nan)
        let error = #expect(throws: JSONError.self) { try JSONCoder.encode(bad) }
        #expect(error?.path == "outer.list[0]")
        #expect(bad.watch.encoder == nil)
    }

    struct Mixed: Encodable {
        func encode(to encoder: any Encoder) throws {
            var object = encoder.container(keyedBy: Key.self)
            try object.encode(1, forKey: .inner)
            var list = encoder.unkeyedContainer()
            try list.encode(1)
        }
    }

    struct Twice: Encodable {
        func encode(to encoder: any Encoder) throws {
            var single = encoder.singleValueContainer()
            try single.encode(1)
            try single.encode(2)
        }
    }

    struct Empty: Codable {}

    @Test("a type that mixes kinds of containers is refused, and one that writes nothing is an empty object")
    func refusesMixedContainers() throws {
        for value in [Mixed(), Twice()] as [any Encodable] {
            let error = #expect(throws: JSONError.self) { try JSONCoder.encode(value) }
            #expect(error?.reason == "a type must encode itself as one object, one array or one value")
        }
        #expect(try JSONCoder.encode([Empty()]).text == "[{}]")
        _ = try JSONCoder.decode([Empty].self, from: "[{}]")
    }

    /// Hides the decoder's and encoder's types, so that `JSON` has to go through its general path.
    struct General: Codable, Equatable {
        var json: JSON

        init(_ json: JSON) {
            self.json = json
        }

        init(from decoder: any Decoder) throws {
            json = try JSON(from: Veil(decoder: decoder))
        }

        func encode(to encoder: any Encoder) throws {
            try json.encode(to: encoder)
        }
    }

    struct Veil: Decoder {
        let decoder: any Decoder
        var codingPath: [any CodingKey] { decoder.codingPath }
        var userInfo: [CodingUserInfoKey: Any] { decoder.userInfo }

        func container<K: CodingKey>(keyedBy type: K.Type) throws -> KeyedDecodingContainer<K> {
            try decoder.container(keyedBy: type)
        }

        func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try decoder.unkeyedContainer() }

        func singleValueContainer() throws -> any SingleValueDecodingContainer {
            try decoder.singleValueContainer()
        }
    }

    static let values: [JSON] = [
        nil, true, 1, 2.5, "x", [1, [], nil], ["b": ["c": 1], "a": [:]], .integer(.min), [:], [],
    ]

    @Test("JSON codes itself by any coder", arguments: values)
    func codesItself(value: JSON) throws {
        #expect(try JSONCoder.json(of: General(value)).text == value.text)
        #expect(try JSONCoder.decode(General.self, from: value) == General(value))
        #expect(try JSONCoder.json(of: value) == value)
        #expect(try JSONCoder.decode(JSON.self, from: value) == value)
        #expect(try JSONCoder.decode([JSON].self, from: [value]) == [value])
    }
}
