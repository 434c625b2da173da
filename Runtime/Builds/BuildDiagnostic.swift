import FunctionCore

/// An error that the compiler or the linker told.
package struct BuildDiagnostic: Sendable, Hashable {
    /// The file, below the package where it lies there; empty where none is named.
    package var file: String
    /// The line, from 1; 0 where none is named.
    package var line: Int
    /// The column, from 1; 0 where none is named.
    package var column: Int
    package var message: String

    package init(file: String = "", line: Int = 0, column: Int = 0, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// `FILE:LINE:COLUMN: MESSAGE`.
    package var text: String { file.isEmpty ? message : "\(file):\(line):\(column): \(message)" }

    package var json: JSON {
        var object: JSONObject = ["message": .string(message)]
        if !file.isEmpty {
            object["file"] = .string(file)
            object["line"] = .integer(Int64(line))
            object["column"] = .integer(Int64(column))
        }
        return .object(object)
    }

    /// The most that are kept of one build.
    package static let most = 50

    /// The errors in what `swift build` printed, each once and in their order.
    ///
    /// Where no file is at fault, the lines that say `error:`; where there is none either, the last line.
    package static func errors(in output: String, package root: String) -> [BuildDiagnostic] {
        var placed: [BuildDiagnostic] = []
        var others: [BuildDiagnostic] = []
        var last = ""
        for line in output.split(whereSeparator: \.isNewline) {
            if !line.allSatisfy({ $0 == " " }) { last = String(line) }
            if let found = read(line, root) {
                if !placed.contains(found) { placed.append(found) }
            } else if let mark = line.firstRange(of: "error: "), !line.hasPrefix(" "), !line.contains("`- ") {
                let message = String(line[mark.upperBound...])
                // What the driver says of its compilers names nothing that could be mended.
                let isEcho = message.contains("command failed") || message.hasPrefix("fatalError")
                let found = BuildDiagnostic(message: message)
                if !isEcho, !others.contains(found) { others.append(found) }
            }
        }
        if placed.isEmpty, others.isEmpty {
            others = [BuildDiagnostic(message: last.isEmpty ? "the build failed without a word" : last)]
        }
        return Array((placed + others).prefix(most))
    }

    /// `PATH:LINE:COLUMN: error: MESSAGE`.
    private static func read(_ line: Substring, _ root: String) -> BuildDiagnostic? {
        guard let mark = line.firstRange(of: ": error: ") else { return nil }
        let place = line[..<mark.lowerBound].split(separator: ":")
        guard place.count >= 3, let column = Int(place[place.count - 1]),
            let number = Int(place[place.count - 2])
        else { return nil }
        var file = place.dropLast(2).joined(separator: ":")
        if file.hasPrefix(root + "/") { file.removeFirst(root.count + 1) }
        return BuildDiagnostic(
            file: file,
            line: number,
            column: column,
            message: String(line[mark.upperBound...])
        )
    }
}
