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
        guard !FunctionName.taken.contains(module) else {
            throw ScaffoldError(
                "there is a module \(module) already, and a program has one of a name; choose another, such as "
                    + "\(text)-maker"
            )
        }
    }

    /// Modules of the toolchain, and targets of Swiftlet that a package which depends on it cannot have as well.
    static let taken: Set = [
        "Swift", "Testing", "Foundation", "Glibc", "Synchronization", "Observation", "Distributed",
        "Dispatch",
        "Regex", "Runtime", "Bundle", "Catalog", "Core", "Data", "Function", "Functions",
        "Wire", "Invocations", "Observe", "Processes", "Isolation", "Scaling", "Settings", "Scheduling",
        "Storage",
        "Journal", "Fetch", "Providers", "Console", "Activity", "Scaffold", "Seeds", "Thresholds", "Tidy",
        "Fixtures", "Hop", "Nohop", "Swiftlet", "Logging", "Yams", "Atomics",
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
