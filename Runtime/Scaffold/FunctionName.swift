import FunctionCore

/// A function's name and what is derived from it: `sales-report` lies in `Functions/SalesReport` and is handled by
/// `SalesReportFunction`.
package struct FunctionName: Sendable, Hashable {
    /// As in `function.yaml`: lower case with dashes.
    package let text: String
    /// The module and its folder.
    package let module: String
    /// The handler's type.
    package var type: String { "\(module)Function" }

    /// Reads a name.
    /// - Throws: `ScaffoldError` for what the manifest's reader, the compiler or SwiftPM would refuse.
    package init(_ text: String) throws(ScaffoldError) {
        let words = text.split(separator: "-", omittingEmptySubsequences: false)
        let isSound = words.allSatisfy { word in
            !word.isEmpty && word.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
        }
        guard isSound, let first = text.utf8.first, (97...122).contains(first), text.utf8.count <= 64 else {
            throw ScaffoldError(
                "`\(text)` is no function name: write at most 64 lower-case letters and digits, words joined by "
                    + "a dash, such as sales-report"
            )
        }
        self.text = text
        module = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        let other = "choose another name, such as \(text)-maker"
        guard !FunctionName.reserved.contains(module) else {
            throw ScaffoldError(
                "`\(module)` is a word of Swift's that no module can have for its name; \(other)"
            )
        }
        guard !FunctionName.shapes.contains(type) else {
            throw ScaffoldError(
                "its handler would be called \(type), which FunctionCore has already; \(other)"
            )
        }
        guard !ModuleNames.isTaken(module) else {
            throw ScaffoldError(
                "there is a module \(module) already, in Swiftlet, what it depends on, or the toolchain, and a program "
                    + "has one of a name; \(other)"
            )
        }
    }

    /// `import Any` is no Swift.
    private static let reserved: Set = ["Any", "Self"]

    /// The shapes of functions, which a handler of the same name would hide.
    private static let shapes: Set = [
        "AsyncFunction", "BatchFunction", "StreamingFunction", "SynchronousFunction",
        "SynchronousTypedFunction", "TypedFunction",
    ]
}

/// Why nothing was written: a sentence with its remedy.
package struct ScaffoldError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// A file to write, by its path below the package.
package struct ScaffoldFile: Sendable, Hashable {
    package var path: String
    package var content: String

    package init(_ path: String, _ content: String) {
        self.path = path
        self.content = content
    }
}
