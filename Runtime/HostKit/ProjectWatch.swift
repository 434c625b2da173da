import Builds
import FunctionCore
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

    /// Whether something differs that has not come to rest.
    package var isRestless: Bool { restless != nil }

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

/// Looks at files of a project when the kernel tells of a change in their folders, and twice a second all the same:
/// some dozen calls of `stat`, which any file system answers.
struct ProjectWatch: Sendable {
    private let files: @Sendable () -> [String]
    private let folders: @Sendable () -> [String]
    private let bundle: String?
    private let loop: any EventLoop
    private let known: [String: SourceTree.Mark]

    /// How long an editor may take from a file's first byte to its last; a linker takes seconds.
    private static let rest = Duration.milliseconds(20)
    private static let pace = Duration.milliseconds(500)

    /// What changes from now on counts, whenever `run` comes to look; `bundle` is the one of the files that a linker
    /// writes, `folders` are those in which they lie and may come to lie.
    init(
        loop: any EventLoop,
        bundle: String? = nil,
        folders: @escaping @Sendable () -> [String] = { [] },
        files: @escaping @Sendable () -> [String]
    ) {
        self.files = files
        self.folders = folders
        self.bundle = bundle
        self.loop = loop
        known = ProjectWatch.look(files())
    }

    private static func look(_ files: [String]) -> [String: SourceTree.Mark] {
        var marks: [String: SourceTree.Mark] = [:]
        for file in files { marks[file] = SourceTree.Mark(file) }
        return marks
    }

    /// Runs until the task is cancelled.
    func run(_ changed: () async -> Void) async {
        var detector = ChangeDetector(known)
        var settled = known
        let wake = WakeSignal()
        let watch = FolderWatch { wake.wake() }
        defer { watch?.end() }
        watch?.add(folders())
        let timer = Timer(loop: loop) { wake.wake() }
        timer.set(ProjectWatch.pace)
        for await _ in wake.wakes() {
            let sight = ProjectWatch.look(files())
            if detector.saw(sight) {
                settled = sight
                watch?.add(folders())
                await changed()
            }
            let isLinking = bundle.map { sight[$0] != settled[$0] } ?? false
            timer.set(detector.isRestless && !isLinking ? ProjectWatch.rest : ProjectWatch.pace)
        }
        timer.cancel()
    }
}
