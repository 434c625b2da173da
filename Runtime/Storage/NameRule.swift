import FunctionCore

/// The rule for names that end up in keys, files and logs: collections, ids, event types.
package enum NameRule {
    /// The longest name, in bytes.
    package static let limit = 128

    /// What is wrong with a name, or nil: 1 to 128 of `A-Z a-z 0-9 . _ : @ -`.
    package static func fault(_ name: String, at path: String) -> Fault? {
        let count = name.utf8.count
        guard (1...limit).contains(count) else {
            let message = "\(path) has \(count) bytes and must have 1 to \(limit); choose a shorter name"
            return Fault(
                path,
                "length",
                count == 0 ? "\(path) is empty; give it 1 to \(limit) characters" : message
            )
        }
        guard name.utf8.allSatisfy(isAllowed) else {
            let message = "\(path) may hold letters, digits and . _ : @ - only; replace the other characters"
            return Fault(path, "characters", message)
        }
        return nil
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        case UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
