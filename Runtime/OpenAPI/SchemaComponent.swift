import FunctionCore
import Invocations

/// A function's schema files as components of an OpenAPI document.
struct SchemaComponents {
    let manifest: Manifest

    /// The component's name of a file: `script.listed` for `schemas/listed.json` of `script`.
    func name(of file: String) -> String {
        var stem = file[...]
        if stem.hasPrefix("schemas/") { stem = stem.dropFirst("schemas/".count) }
        if stem.hasSuffix(".json") { stem = stem.dropLast(".json".count) }
        let plain = stem.utf8.map { byte -> Character in
            switch byte {
            case 48...57, 65...90, 97...122, 45, 46, 95: Character(Unicode.Scalar(byte))
            default: "-"
            }
        }
        return "\(manifest.name).\(String(plain))"
    }

    /// All of them.
    var all: [(name: String, schema: JSON)] {
        manifest.schemas.sorted { $0.key < $1.key }.map { (name(of: $0.key), schema($0.key)) }
    }

    /// What refers to a file's component.
    func reference(to file: String) -> JSON { ["$ref": .string("#/components/schemas/\(name(of: file))")] }

    /// A file's schema, with references that hold in the document.
    func schema(_ file: String) -> JSON {
        guard case .object(var root)? = manifest.schemas[file] else { return .bool(true) }
        for name in ["$schema", "$id"] { root.removeValue(forKey: name) }
        return rewritten(.object(root), in: file)
    }

    private func rewritten(_ json: JSON, in file: String) -> JSON {
        switch json {
        case .array(let elements): return .array(elements.map { rewritten($0, in: file) })
        case .object(let object):
            var result = JSONObject()
            for key in object.keys {
                guard let value = object[key] else { continue }
                if key == "$ref", let text = value.stringValue {
                    result[key] = .string(target(of: text, in: file))
                } else {
                    // What is data, and no schema, may have members of any name.
                    let isData = ["const", "enum", "default", "examples"].contains(key)
                    result[key] = isData ? value : rewritten(value, in: file)
                }
            }
            return .object(result)
        default: return json
        }
    }

    private func target(of reference: String, in file: String) -> String {
        let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let other = parts[0].isEmpty ? file : SchemaReference.resolve(String(parts[0]), from: file)
        return "#/components/schemas/\(name(of: other))" + (parts.count > 1 ? String(parts[1]) : "")
    }
}

/// References from one schema file to another.
package enum SchemaReference {
    /// The path of a file that `reference` names in `file`; both lie below the manifest's folder.
    package static func resolve(_ reference: String, from file: String) -> String {
        var path = file.split(separator: "/").dropLast().map { String($0) }
        for part in reference.split(separator: "/") where part != "." {
            if part == "..", !path.isEmpty { path.removeLast() } else { path.append(String(part)) }
        }
        return path.joined(separator: "/")
    }

    /// The other files that a schema refers to.
    package static func files(in json: JSON, of file: String) -> [String] {
        switch json {
        case .array(let elements): return elements.flatMap { files(in: $0, of: file) }
        case .object(let object):
            var found: [String] = []
            if let text = object["$ref"]?.stringValue, let path = text.split(separator: "#").first,
                !text.hasPrefix("#")
            {
                found.append(resolve(String(path), from: file))
            }
            return found + object.values.flatMap { files(in: $0, of: file) }
        default: return []
        }
    }
}
