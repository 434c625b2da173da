import Glibc
import Storage

/// What `stat` says of the sources below a package.
package struct SourceTree: Sendable, Hashable {
    /// What `stat` says of a file; a rename in its place shows as another inode.
    package struct Mark: Sendable, Hashable {
        package var inode: UInt64
        package var size: Int64
        /// Nanoseconds since 1970.
        package var changed: Int64

        package init?(_ path: String) {
            var info = stat()
            guard stat(path, &info) == 0 else { return nil }
            inode = UInt64(info.st_ino)
            size = Int64(info.st_size)
            changed = Int64(info.st_mtim.tv_sec) * 1_000_000_000 + Int64(info.st_mtim.tv_nsec)
        }
    }

    package private(set) var marks: [String: Mark] = [:]
    /// The folders that were looked into.
    package private(set) var folders: [String] = []

    /// Looks at what a build may read: Swift and C below the package, but for tests, and for what is hidden, as
    /// `.build` is.
    package init(_ package: String) {
        look(package, depth: 0)
    }

    /// When the newest of them was written, in nanoseconds since 1970.
    package var newest: Int64 { marks.values.map(\.changed).max() ?? 0 }

    package static func == (left: SourceTree, right: SourceTree) -> Bool { left.marks == right.marks }
    package func hash(into hasher: inout Hasher) { hasher.combine(marks) }

    private static let endings: Set = ["swift", "c", "h", "cpp", "hpp", "m", "mm", "modulemap", "resolved"]

    private mutating func look(_ folder: String, depth: Int) {
        // A package of functions is a few levels deep, and links may go in circles.
        guard depth < 12, let found = try? names(in: folder) else { return }
        folders.append(folder)
        for name in found where !name.hasPrefix(".") {
            if depth == 0, name == "Tests" { continue }
            let path = "\(folder)/\(name)"
            var info = stat()
            guard stat(path, &info) == 0 else { continue }
            if info.st_mode & S_IFMT == S_IFDIR {
                look(path, depth: depth + 1)
            } else if let dot = name.lastIndex(of: "."),
                SourceTree.endings.contains(String(name[name.index(after: dot)...]))
            {
                marks[path] = Mark(path)
            }
        }
    }
}
