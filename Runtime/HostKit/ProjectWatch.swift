import FunctionCore
import Glibc
import NIOCore
import Storage

/// Tells when files have changed, and have come to rest.
///
/// A linker writes a bundle piece by piece, an editor several files: what differs counts once it has looked
/// the same twice.
package struct ChangeDetector<Sight: Hashable & Sendable>: Sendable {
    private var known: Sight
    private var restless: Sight?

    package init(_ known: Sight) {
        self.known = known
    }

    /// Takes in a look at the files; true where they are others than before, and at rest.
    package mutating func saw(_ sight: Sight) -> Bool {
        guard sight != known else {
            restless = nil
            return false
        }
        guard sight == restless else {
            restless = sight
            return false
        }
        known = sight
        restless = nil
        return true
    }
}

/// Looks at files of a project twice a second: some dozen calls of `stat`, which any file system answers.
struct ProjectWatch: Sendable {
    private let files: @Sendable () -> [String]
    private let loop: any EventLoop
    private let known: [String: Mark]

    /// What changes from now on counts, whenever `run` comes to look.
    init(loop: any EventLoop, files: @escaping @Sendable () -> [String]) {
        self.files = files
        self.loop = loop
        known = ProjectWatch.look(files())
    }

    /// What `stat` says of a file; a rename in its place shows as another inode.
    private struct Mark: Hashable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    private static func look(_ files: [String]) -> [String: Mark] {
        var marks: [String: Mark] = [:]
        for file in files {
            var info = stat()
            guard stat(file, &info) == 0 else { continue }
            marks[file] = Mark(
                inode: UInt64(info.st_ino),
                size: Int64(info.st_size),
                seconds: info.st_mtim.tv_sec,
                nanoseconds: info.st_mtim.tv_nsec
            )
        }
        return marks
    }

    /// Runs until the task is cancelled.
    func run(_ changed: () async -> Void) async {
        var detector = ChangeDetector(known)
        let wake = WakeSignal()
        let timer = Timer(loop: loop) { wake.wake() }
        timer.set(.milliseconds(500))
        for await _ in wake.wakes() {
            if detector.saw(ProjectWatch.look(files())) { await changed() }
            timer.set(.milliseconds(500))
        }
        timer.cancel()
    }
}
