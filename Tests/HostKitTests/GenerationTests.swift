import FunctionCore
import HostKit
import Invocations
import Settings
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct GenerationTests {
    private func generation(_ files: [String: String], hash: String = "a") -> Generation {
        let project = ProjectFolder(files).load().project
        return Generation(
            number: 1,
            bundle: Bundle(executable: "/bundle", hash: hash, functions: []),
            project: project
        )
    }

    private let files = [
        "functions/One/function.yaml": manifestText("one"),
        "functions/Two/function.yaml": manifestText("two"),
    ]

    @Test("the same files and the same bundle are no change, wherever they lie")
    func same() {
        var copy = generation(files)
        let other = generation(files)
        // The folder's name is part of a manifest; a reload reads the same one.
        var project = other.project
        for index in project.manifests.indices { project.manifests[index].file = "" }
        var first = copy.project
        for index in first.manifests.indices { first.manifests[index].file = "" }
        copy = Generation(number: 1, bundle: copy.bundle, project: first)
        #expect(
            GenerationChange(from: copy, to: Generation(number: 2, bundle: copy.bundle, project: project))
                .isEmpty
        )
    }

    @Test("another bundle changes every function, another manifest its own")
    func changes() {
        let old = generation(files)
        let code = GenerationChange(from: old, to: generation(files, hash: "b"))
        #expect(code.changed == ["one", "two"] && code.added == [] && code.removed == [])
        var project = old.project
        project.manifests[0].limits.payload = 1
        let one = GenerationChange(from: old, to: Generation(number: 2, bundle: old.bundle, project: project))
        #expect(one.changed == ["one"] && !one.schedules)
    }

    @Test("of a bundle that was built here only functions whose code differs are changed")
    func prints() {
        let old = self.generation(files)
        func generation(_ hash: String, _ prints: [String: String]) -> Generation {
            let project = old.project
            let bundle = Bundle(executable: "/bundle", hash: hash, functions: [], prints: prints)
            return Generation(number: 2, bundle: bundle, project: project)
        }
        let first = generation("a", ["one": "1", "two": "2"])
        let next = generation("b", ["one": "1", "two": "3"])
        #expect(GenerationChange(from: first, to: next).changed == ["two"])
        // What nobody knows of the old one may be another.
        #expect(GenerationChange(from: old, to: next).changed == ["one", "two"])
        #expect(GenerationChange(from: first, to: generation("b", ["one": "1"])).changed == ["two"])
    }

    @Test("functions come and go, and schedules change by themselves")
    func comeAndGo() {
        let old = generation(files)
        var project = old.project
        project.manifests[1].name = "three"
        project.book.inputs["morning"] = [:]
        let change = GenerationChange(
            from: old,
            to: Generation(number: 2, bundle: old.bundle, project: project)
        )
        #expect(change.added == ["three"] && change.removed == ["two"] && change.changed == [])
        #expect(change.schedules && !change.isEmpty)
    }
}

@Suite(.timeLimit(.minutes(1)))
struct ChangeDetectorTests {
    @Test("a change counts once, when it has come to rest")
    func rest() {
        var detector = ChangeDetector(1)
        #expect([1, 2, 3, 3, 3].map { detector.saw($0) } == [false, false, false, true, false])
    }

    @Test("what is put back before it rests was no change")
    func putBack() {
        var detector = ChangeDetector(1)
        #expect([2, 1, 2, 2].map { detector.saw($0) } == [false, false, false, true])
    }
}
