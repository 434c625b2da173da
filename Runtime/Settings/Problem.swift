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
    package private(set) var all: [Problem] = []

    package init() {}

    package func add(_ problem: Problem) {
        all.append(problem)
    }

    package var isEmpty: Bool { all.isEmpty }
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
