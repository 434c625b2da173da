import ShopOrders
import FunctionCore
import Glibc

/// What `make bench` asks this executable about JSON.
enum JSONFigures {
    /// Prints one object: microseconds to decode and encode typed events of about 1 KB and 200 KB.
    static func measure() throws {
        let small = ShopOrder(1, items: 6)
        let large = (0..<230).map { ShopOrder($0, items: 5) }
        var figures: JSONObject = [:]
        figures["small"] = try figure(small, rounds: 2000)
        figures["large"] = try figure(large, rounds: 10)
        print(JSON.object(figures).text)
    }

    private static func figure<Value: Codable>(_ value: Value, rounds: Int) throws -> JSON {
        let bytes = try JSONCoder.encode(value)
        let tree = try JSON.parse(bytes)
        return [
            "bytes": .integer(Int64(bytes.count)),
            "decode_us": .number(try best(rounds) { _ = try JSONCoder.decode(Value.self, from: bytes) }),
            "encode_us": .number(try best(rounds) { _ = try JSONCoder.encode(value) }),
            "parse_us": .number(try best(rounds) { _ = try JSON.parse(bytes) }),
            "write_us": .number(best(rounds) { _ = tree.bytes() }),
        ]
    }

    /// The quickest of fifteen series: on a shared machine the others tell of the neighbours.
    private static func best(_ rounds: Int, _ body: () throws -> Void) rethrows -> Double {
        var best = Duration.seconds(1000)
        for _ in 0..<15 {
            let began = Monotonic.now
            for _ in 0..<rounds { try body() }
            best = min(best, Monotonic.now - began)
        }
        return Double(best.nanoseconds) / 1000 / Double(rounds)
    }

    /// Reads a document a line from the standard input; writes what the tree and what a type make of it, or an
    /// empty line for one that is refused.
    static func repeatLines() {
        while let line = readLine() {
            let bytes = Bytes(line)
            guard let tree = try? JSON.parse(bytes) else {
                print("\n")
                continue
            }
            print(tree.text)
            print((try? JSONCoder.encode(JSONCoder.decode(Anything.self, from: bytes)).text) ?? "")
        }
    }
}

/// Any document, read and written as types are.
private indirect enum Anything: Codable {
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
