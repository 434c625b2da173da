/// Something wrong in a configuration: where, what, and what to do.
package struct Problem: Sendable, Hashable, CustomStringConvertible {
    package var file: String
    /// From 1; nil for the file as a whole.
    package var line: Int?
    package var message: String
    package var hint: String

    package init(file: String, line: Int? = nil, message: String, hint: String) {
        self.file = file
        self.line = line
        self.message = message
        self.hint = hint
    }

    /// `file:line: message (hint)`.
    package var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return "\(place): \(message) (\(hint))"
    }
}

/// Gathers all problems, so that they are told at once.
package final class Problems {
    private var found: [Problem]
    /// What works and is hardly meant; in the order in which it was read.
    package private(set) var warnings: [Problem] = []

    package init(_ found: [Problem] = []) {
        self.found = found
    }

    package func add(_ problem: Problem) {
        found.append(problem)
    }

    package func warn(_ problem: Problem) {
        warnings.append(problem)
    }

    package var isEmpty: Bool { found.isEmpty }

    /// File by file in the order in which they were read, and in each from top to bottom.
    package var all: [Problem] {
        var files: [String: Int] = [:]
        for problem in found where files[problem.file] == nil { files[problem.file] = files.count }
        let places = found.enumerated().map { offset, problem in
            (file: files[problem.file] ?? 0, line: problem.line ?? 0, offset: offset)
        }
        return places.sorted { ($0.file, $0.line, $0.offset) < ($1.file, $1.line, $1.offset) }.map {
            found[$0.offset]
        }
    }
}

/// A configuration that cannot be used, with all that is wrong with it.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    package var problems: [Problem]

    package init(_ problems: [Problem]) {
        self.problems = problems
    }

    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
