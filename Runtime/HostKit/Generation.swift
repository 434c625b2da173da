import Invocations
import Synchronization

/// What a host runs until the next reload: the project's files as they were read, and the bundle.
package struct Generation: Sendable {
    /// From 1.
    package let number: Int
    package var bundle: Bundle
    package let project: Project

    package init(number: Int, bundle: Bundle, project: Project) {
        self.number = number
        self.bundle = bundle
        self.project = project
    }
}

/// The generation in force.
///
/// Threading: any.
package final class LiveGeneration: Sendable {
    private let generation: Mutex<Generation>

    package init(_ generation: Generation) {
        self.generation = Mutex(generation)
    }

    package var current: Generation { generation.withLock { $0 } }

    func replace(_ next: Generation) {
        generation.withLock { $0 = next }
    }

    /// Takes a bundle of the same code in the place of the one in force: more is known of it.
    func note(_ bundle: Bundle) {
        generation.withLock { $0.bundle = bundle }
    }
}

/// What differs between two generations, function by function.
package struct GenerationChange: Sendable, Hashable {
    /// Functions whose manifest or code is another.
    package private(set) var changed: [String] = []
    package private(set) var added: [String] = []
    package private(set) var removed: [String] = []
    package private(set) var schedules = false

    package init(from old: Generation, to new: Generation) {
        let before = Dictionary(
            old.project.manifests.map { ($0.name, $0) },
            uniquingKeysWith: { _, last in last }
        )
        for manifest in new.project.manifests {
            if let known = before[manifest.name] {
                let hasSameCode =
                    manifest.foreign != nil || new.bundle.hasSameCode(manifest.name, as: old.bundle)
                if !hasSameCode || known != manifest { changed.append(manifest.name) }
            } else {
                added.append(manifest.name)
            }
        }
        let names = Set(new.project.manifests.map(\.name))
        removed = old.project.manifests.map(\.name).filter { !names.contains($0) }
        schedules = old.project.book != new.project.book
    }

    package var isEmpty: Bool { changed.isEmpty && added.isEmpty && removed.isEmpty && !schedules }
}

/// The manifests in force, for whoever looks one up by its function's name.
///
/// Threading: any.
package final class ManifestTable: Sendable {
    private let manifests: Mutex<[String: Manifest]>

    package init(_ manifests: [Manifest]) {
        self.manifests = Mutex(ManifestTable.byName(manifests))
    }

    package subscript(name: String) -> Manifest? { manifests.withLock { $0[name] } }
    package var all: [String: Manifest] { manifests.withLock { $0 } }

    func replace(_ next: [Manifest]) {
        manifests.withLock { $0 = ManifestTable.byName(next) }
    }

    private static func byName(_ manifests: [Manifest]) -> [String: Manifest] {
        Dictionary(manifests.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
    }
}
