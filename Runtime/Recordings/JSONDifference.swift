import FunctionCore

/// Where two documents differ first, in a few words.
enum JSONDifference {
    static func between(_ old: Bytes, _ new: Bytes) -> String {
        let hint = UnrecordedSource.between(old.text, new.text).hint
        guard let before = try? JSON.parse(old), let after = try? JSON.parse(new) else {
            return "\(short(new.text)), it was \(short(old.text))\(hint)"
        }
        return (first(before, after, at: "") ?? "in their spelling only") + hint
    }

    private static func first(_ old: JSON, _ new: JSON, at path: String) -> String? {
        switch (old, new) {
        case (.object(let old), .object(let new)):
            for key in old.keys + new.keys.filter({ !old.contains(key: $0) }) {
                let place = path.isEmpty ? key : "\(path).\(key)"
                guard let before = old[key] else {
                    return "`\(place)` is new: \(short(new[key]?.text ?? ""))"
                }
                guard let after = new[key] else {
                    return "`\(place)` is not there, it was \(short(before.text))"
                }
                if let found = first(before, after, at: place) { return found }
            }
            return nil
        case (.array(let old), .array(let new)) where old.count == new.count:
            for (index, pair) in zip(old, new).enumerated() {
                if let found = first(pair.0, pair.1, at: "\(path)[\(index)]") { return found }
            }
            return nil
        default:
            guard old != new else { return nil }
            return "\(path.isEmpty ? "" : "`\(path)` is ")\(short(new.text)), it was \(short(old.text))"
        }
    }

    private static func short(_ text: String) -> String {
        text.count <= 120 ? text : text.prefix(120) + "…"
    }
}
