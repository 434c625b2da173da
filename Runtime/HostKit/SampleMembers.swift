import FunctionCore
import Invocations

/// The object that an operation works on, as its schema gives an example of it; empty where no schema is named.
package struct SampleMembers {
    package private(set) var members: JSONObject

    package init(_ manifest: Manifest, _ operation: String) {
        let schema = manifest.contracts[operation]?.request.flatMap { manifest.schemas[$0] }
        members = schema?["examples"]?[0]?.objectValue ?? [:]
        for name in schema?["required"]?.arrayValue?.compactMap(\.stringValue) ?? []
        where members[name] == nil {
            members[name] = SampleMembers.value(schema?["properties"]?[name])
        }
    }

    /// Takes out what stands in the path.
    package mutating func take(_ name: String) -> String? {
        members.removeValue(forKey: name).map { $0.stringValue ?? $0.text }
    }

    /// What is left, as a query.
    package var query: String {
        let pairs = members.map { name, value in
            SampleMembers.encoded(name) + "=" + SampleMembers.encoded(value.stringValue ?? value.text)
        }
        return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
    }

    private static func value(_ schema: JSON?) -> JSON? {
        let named = [schema?["examples"]?[0], schema?["const"], schema?["default"], schema?["enum"]?[0]]
        if let first = named.lazy.compactMap({ $0 }).first { return first }
        switch schema?["type"]?.stringValue ?? schema?["type"]?[0]?.stringValue {
        case "integer", "number": return schema?["minimum"] ?? 1
        case "boolean": return false
        case "array": return []
        case "object": return [:]
        case "string": return "sample"
        default: return nil
        }
    }

    /// Percent-encoded for a path or a query.
    static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95, 126: return String(UnicodeScalar(byte))
            default: return (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
