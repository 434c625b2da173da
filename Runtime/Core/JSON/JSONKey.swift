/// A step of a coding path: a member's name, or a place in an array.
///
/// Only this type marks array places by `intValue`. The standard library's key for dictionaries reports an
/// `intValue` for names such as "12" too, which must not read like a place.
struct JSONKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        self.intValue = nil
    }

    init(intValue: Int) {
        self.stringValue = String(intValue)
        self.intValue = intValue
    }

    /// A path as people write it: `scenes[2].seconds`, with quotes around names that are not plain words.
    static func text(_ path: [any CodingKey]) -> String {
        var text = ""
        for step in path {
            if let place = (step as? JSONKey)?.intValue {
                text += "[\(place)]"
            } else if isPlain(step.stringValue) {
                text += text.isEmpty ? step.stringValue : ".\(step.stringValue)"
            } else {
                text += "[\(JSON.string(step.stringValue).text)]"
            }
        }
        return text
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
                    UInt8(ascii: "$"):
                    true
                default:
                    byte >= 0x80
                }
            }
    }
}
