import Builds
import FunctionCore
import Glibc
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct BuildReadingTests {
    @Test("the compiler's errors are told once each, with file, line and column below the package")
    func errors() {
        let output = """
            Building for debugging...
            [3/5] Compiling Hello HelloFunction.swift
            error: emit-module command failed with exit code 1 (use -v to see invocation)
            /there/shop/Functions/Hello/HelloFunction.swift:12:9: error: cannot find 'x' in scope
            10 |     public init() {}
            12 |         x
               |         `- error: cannot find 'x' in scope

            /there/shop/Functions/Hello/HelloFunction.swift:12:9: error: cannot find 'x' in scope
            /elsewhere/A.swift:1:2: error: no such module 'B'
            /there/shop/Functions/Hello/HelloFunction.swift:3:1: warning: never used
            """
        let errors = BuildDiagnostic.errors(in: output, package: "/there/shop")
        let first = BuildDiagnostic(
            file: "Functions/Hello/HelloFunction.swift",
            line: 12,
            column: 9,
            message: "cannot find 'x' in scope"
        )
        let second = BuildDiagnostic(
            file: "/elsewhere/A.swift",
            line: 1,
            column: 2,
            message: "no such module 'B'"
        )
        #expect(errors == [first, second])
        #expect(first.text == "Functions/Hello/HelloFunction.swift:12:9: cannot find 'x' in scope")
    }

    @Test("an error without a file is told as it is, and without any the last line")
    func unplaced() {
        let manifest = "error: 'shop': Invalid manifest\nerror: fatal"
        let errors = BuildDiagnostic.errors(in: manifest, package: "/p")
        #expect(errors.map(\.message) == ["'shop': Invalid manifest", "fatal"])
        #expect(BuildDiagnostic.errors(in: "one\ntwo\n", package: "/p").map(\.message) == ["two"])
        #expect(BuildDiagnostic.errors(in: "", package: "/p").count == 1)
    }

    @Test("the product is the executable target in Functions/Bundle")
    func product() {
        let own = """
            .executableTarget(name: "other", path: "Other"),
            .executableTarget(
                name: "bundle",
                dependencies: ["Catalog"],
                path: "Functions/Bundle"
            ),
            """
        #expect(BuildPlan.product(in: own) == "bundle")
        #expect(BuildPlan.product(in: "let package = Package(name: \"x\")") == nil)
    }

    @Test("a function's print changes with its own objects and with shared ones, not with its neighbour's")
    func prints() {
        func prints(_ modules: [String: [UInt8]]) -> [String: String] {
            let functions = ["hello": "Hello", "other": "Other", "gone": "Gone"]
            return ObjectPrints(modules: modules).prints(of: functions, listing: ["Catalog", "bundle"])
        }
        let modules: [String: [UInt8]] = [
            "Hello": [1], "Other": [2], "FunctionCore": [3], "Catalog": [4], "bundle": [5],
        ]
        let before = prints(modules)
        #expect(before.keys.sorted() == ["hello", "other"])
        let own = prints(modules.merging(["Hello": [9]]) { $1 })
        #expect(own["hello"] != before["hello"] && own["other"] == before["other"])
        let shared = prints(modules.merging(["FunctionCore": [9]]) { $1 })
        #expect(shared["hello"] != before["hello"] && shared["other"] != before["other"])
        #expect(prints(modules.merging(["Catalog": [9], "bundle": [9]]) { $1 }) == before)
    }

    @Test("sources are Swift and C below the package, without tests and what is hidden")
    func sources() throws {
        let place = try TemporaryPlace()
        defer { place.remove() }
        for folder in ["Functions", "Functions/A", "Tests", ".build"] {
            mkdir("\(place.path)/\(folder)", 0o700)
        }
        for file in [
            "Package.swift", "Functions/A/A.swift", "Functions/A/function.yaml", "Tests/T.swift",
            ".build/b.swift",
        ] {
            Text.write("x".utf8, to: "\(place.path)/\(file)")
        }
        let before = SourceTree(place.path)
        #expect(
            before.marks.keys.sorted() == [
                "\(place.path)/Functions/A/A.swift", "\(place.path)/Package.swift",
            ]
        )
        Text.write("x".utf8, to: "\(place.path)/Functions/A/function.yaml")
        #expect(SourceTree(place.path) == before)
        Text.write("yy".utf8, to: "\(place.path)/Functions/A/A.swift")
        #expect(SourceTree(place.path) != before)
    }

    @Test("a change in a watched folder is told")
    func watch() async throws {
        let place = try TemporaryPlace()
        defer { place.remove() }
        let (events, feed) = AsyncStream.makeStream(of: Void.self)
        let watch = try #require(FolderWatch { feed.yield() })
        watch.add([place.path])
        Text.write("x".utf8, to: "\(place.path)/a")
        for await _ in events { break }
        watch.end()
    }
}
