import Scaffold
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TemplateTests {
    @Test(
        "each template is whole: code, manifest, test, all with the function's own names",
        arguments: FunctionTemplate.allCases
    )
    func whole(_ template: FunctionTemplate) throws {
        let files = template.files(try FunctionName("night-owl"))
        let paths = files.map(\.path)
        #expect(paths.contains("Functions/NightOwl/NightOwlFunction.swift"))
        #expect(paths.contains("Functions/NightOwl/function.yaml"))
        #expect(paths.contains("Tests/FunctionsTests/NightOwlTests.swift"))
        #expect(paths.contains("schedules/night-owl.yaml") == (template == .schedule))
        for file in files {
            #expect(file.content.hasSuffix("\n") && !file.content.hasSuffix("\n\n"))
            for mark in ["%N", "%M", "%T"] { #expect(!file.content.contains(mark), "\(file.path)") }
            #expect(file.content.split(separator: "\n").allSatisfy { $0.count <= 110 }, "\(file.path)")
        }
        #expect(files[1].content.hasPrefix("name: night-owl\n"))
        #expect(files[2].content.contains("@testable import NightOwl\n"))
    }

    @Test("a project lists its first function, and depends on a folder or a repository by its own name")
    func project() throws {
        let files = try ProjectTemplate("shop", .path("/there/main")).files()
        let package = try #require(files.first { $0.path == "Package.swift" }?.content)
        #expect(package.contains("let functions = [\n    \"Hello\",\n]"))
        #expect(package.contains(".package(name: \"swiftlet\", path: \"/there/main\")"))
        let catalogue = try #require(files.first { $0.path.hasSuffix("Catalog.swift") }?.content)
        #expect(catalogue.contains("FunctionEntry(\"hello\", HelloFunction.self),"))
        #expect(files.contains { $0.path == "schedules/.gitkeep" })
        let far = try ProjectTemplate("shop", .url("https://example.org/x/runtime.git")).files()
        let text = try #require(far.first { $0.path == "Package.swift" }?.content)
        #expect(text.contains("package: \"runtime\""))
        for name in ["a b", "", "Swiftlet", "yams", "main"] {
            #expect(throws: ScaffoldError.self) { try ProjectTemplate(name, .path("/there/main")) }
        }
        let own = #expect(throws: ScaffoldError.self) {
            try ProjectTemplate("Runtime", .url("https://example.org/x/runtime.git"))
        }
        #expect(own?.description.contains("such as Runtime-functions") == true)
    }
}
