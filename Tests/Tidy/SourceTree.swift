import Foundation

/// The project's own files, found from where this file lies.
struct SourceTree: Sendable {
    /// One file.
    struct File: Sendable {
        /// From the project's folder on, such as `Runtime/Core/Event.swift`.
        let path: String
        let text: String
    }

    /// A Swift file with its code.
    struct Source: Sendable {
        let path: String
        let text: SourceText
    }

    /// All text files but what was built, fetched or written by a running host.
    let files: [File]
    /// The Swift files.
    let sources: [Source]

    /// The project that this suite was built from, read once.
    static let project = SourceTree(
        root: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
    )

    private static let folders = ["Runtime", "Functions", "Tests", "schedules", "deploy", ".github", ".ci"]
    private static let loose = [
        "Package.swift", "Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", ".gitignore",
        ".swift-format",
    ]

    init(root: URL) {
        var files: [File] = []
        for name in SourceTree.loose { SourceTree.read(root.appending(path: name), name, &files) }
        for folder in SourceTree.folders {
            // A linked folder is read as what it links to.
            let start = root.appending(path: folder).resolvingSymlinksInPath()
            let paths =
                FileManager.default.enumerator(atPath: start.path())?.compactMap { $0 as? String } ?? []
            for path in paths.sorted() where !path.contains("__pycache__") {
                SourceTree.read(start.appending(path: path), "\(folder)/\(path)", &files)
            }
        }
        self.files = files
        sources = files.filter { $0.path.hasSuffix(".swift") }.map {
            Source(path: $0.path, text: SourceText($0.text))
        }
    }

    /// Folders, and files that are no text, are left out.
    private static func read(_ url: URL, _ path: String, _ files: inout [File]) {
        guard let data = try? Data(contentsOf: url), let text = String(data: data, encoding: .utf8) else {
            return
        }
        files.append(File(path: path, text: text))
    }

    /// A file's text; empty where there is none.
    func text(_ path: String) -> String {
        files.first { $0.path == path }?.text ?? ""
    }

    /// The files below a folder.
    func below(_ folder: String) -> [File] {
        files.filter { $0.path.hasPrefix(folder + "/") }
    }
}

/// A rule that is broken, as an editor or a terminal can jump to it.
struct Violation: CustomStringConvertible {
    let path: String
    let line: Int
    let rule: String
    let fix: String

    var description: String { "\(path):\(line): \(rule): \(fix)" }
}
