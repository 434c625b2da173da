import FunctionCore

/// Adds a function to the two files that list them: `Package.swift` and the catalogue.
///
/// Both are edited by their text, between marks that must be there once, so that nothing else in them changes.
/// What is listed already is left as it is.
package enum PackageEdit {
    /// `Package.swift` with the module in `let functions = […]`.
    /// - Throws: `ScaffoldError` where there is no such list, or another target has the name.
    package static func manifest(_ text: String, adding name: FunctionName) throws(ScaffoldError) -> String {
        let hint = "add \"\(name.module)\" by hand to the targets"
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let list = try bounds(of: "let functions", in: lines, "Package.swift", hint)
        let quoted = "\"\(name.module)\""
        if lines[list].contains(where: { code($0).contains(quoted) }) { return text }
        let others = lines.indices.filter { !list.contains($0) }
        guard !others.contains(where: { code(lines[$0]).contains(quoted) }) else {
            throw ScaffoldError("Package.swift has a target \(name.module) already; choose another name")
        }
        return insert("    \(quoted),", into: lines, list, hint: "Package.swift")
    }

    /// The catalogue with the module's import and its entry.
    /// - Throws: `ScaffoldError` where it has no list of entries, or one of that name for another handler.
    package static func catalogue(_ text: String, adding name: FunctionName) throws(ScaffoldError) -> String {
        let entry = "FunctionEntry(\"\(name.text)\", \(name.type).self),"
        let hint = "add `\(entry)` by hand"
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let list = try bounds(of: "let catalog", in: lines, "the catalogue", hint)
        var result = text
        if let known = lines[list].first(where: { code($0).contains("\"\(name.text)\"") }) {
            guard known.contains("\(name.type).self") else {
                let entry = known.drop { $0 == " " }
                throw ScaffoldError("the catalogue has \(name.text) already: \(entry)")
            }
        } else {
            result = insert("    \(entry)", into: lines, list, hint: "the catalogue")
        }
        let imported = "import \(name.module)"
        lines = result.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.contains(imported) { return result }
        let imports = lines.indices.filter { lines[$0].hasPrefix("import ") }
        let place = imports.first { lines[$0] > imported } ?? imports.last.map { $0 + 1 } ?? 0
        lines.insert(imported, at: place)
        return lines.joined(separator: "\n")
    }

    /// The lines of a list, from the one that opens its bracket to the one that closes it.
    private static func bounds(
        of name: String,
        in lines: [String],
        _ file: String,
        _ hint: String
    ) throws(ScaffoldError) -> ClosedRange<Int> {
        let missing = ScaffoldError("\(file) has no list that begins with `\(name)`; \(hint)")
        let begins = lines.indices.filter { code(lines[$0]).contains(name) }
        guard begins.count == 1, let begin = begins.first,
            let equals = code(lines[begin]).firstIndex(of: "=")
        else { throw missing }
        var depth = 0
        for index in begin..<lines.count {
            let line = code(lines[index])
            let counted = index == begin ? line[line.index(after: equals)...] : line[...]
            for character in counted {
                if character == "[" { depth += 1 }
                if character == "]" { depth -= 1 }
            }
            if depth == 0 { return begin...index }
        }
        throw missing
    }

    private static func insert(
        _ item: String,
        into lines: [String],
        _ list: ClosedRange<Int>,
        hint: String
    ) -> String {
        var lines = lines
        guard list.lowerBound == list.upperBound else {
            lines.insert(item, at: list.upperBound)
            // The item before may lack its comma.
            let before = list.upperBound - 1
            if before > list.lowerBound, let last = lines[before].last, last != ",", last != "[" {
                lines[before] += ","
            }
            return lines.joined(separator: "\n")
        }
        // A list in one line is opened.
        let line = lines[list.lowerBound]
        guard let equals = line.firstIndex(of: "="), let open = line[equals...].firstIndex(of: "["),
            let close = line.lastIndex(of: "]")
        else { return lines.joined(separator: "\n") }
        let items = line[line.index(after: open)..<close].drop { $0 == " " }
        var opened = [String(line[...open])]
        if !items.isEmpty {
            let comma = items.hasSuffix(",") ? "" : ","
            opened.append("    \(items)\(comma)")
        }
        opened += [item, String(line[close...])]
        lines.replaceSubrange(list, with: opened)
        return lines.joined(separator: "\n")
    }

    /// A line without its comment.
    private static func code(_ line: String) -> String {
        var isQuoted = false
        var previous: Character = " "
        for (place, character) in zip(line.indices, line) {
            if character == "\"" { isQuoted.toggle() }
            if character == "/", previous == "/", !isQuoted {
                return String(line[..<line.index(before: place)])
            }
            previous = character
        }
        return line
    }
}
