import FunctionCore
import Invocations
import Settings
import Testing

@Suite("runtime in function.yaml", .timeLimit(.minutes(1)))
struct RuntimeManifestTests {
    private func read(_ text: String) -> (manifest: Manifest?, problems: [Problem]) {
        let problems = Problems()
        let result = ManifestReader.read(text, file: "Functions/sum/function.yaml", problems: problems)
        return (result?.manifest, problems.all)
    }

    @Test("a Lambda runtime has a command, whose path is relative to the function's folder")
    func command() {
        let (manifest, problems) = read(
            """
            name: sum
            runtime: lambda
            command: [bin/run, -m, app.handler]
            handler: app.handler
            """
        )
        #expect(problems == [])
        let foreign = manifest?.foreign
        #expect(foreign?.command == ["bin/run", "-m", "app.handler"] && foreign?.handler == "app.handler")
        #expect(foreign?.folder == "Functions/sum" && foreign?.program == "Functions/sum/bin/run")
        #expect(
            read("name: sum\nruntime: lambda\ncommand: [python3]").manifest?.foreign?.program == "python3"
        )
        #expect(read("name: sum\nruntime: lambda\ncommand: [/a/b]").manifest?.foreign?.program == "/a/b")
        #expect(read("name: sum\nruntime: native").manifest?.foreign == nil)
    }

    @Test("what does not go together is told with its line")
    func wrong() {
        let cases: [(String, [Int])] = [
            ("name: sum\nruntime: lambda", [1]),
            ("name: sum\nruntime: lambda\ncommand: []", [3]),
            ("name: sum\nruntime: python\ncommand: [x]", [2, 3]),
            ("name: sum\ncommand: [x]\nhandler: y", [2, 3]),
            ("name: sum\nruntime: lambda\ncommand: [x]\nbindings: [users]", [4]),
            ("name: sum\nruntime: lambda\ncommand: [x]\nbatch: {max: 4}", [4]),
            ("name: sum\nruntime: lambda\ncommand: [x]\nenvironment:\n  A: b\n  _HANDLER: c", [6]),
            ("name: sum\nruntime: lambda\ncommand: [x]\ntriggers: {websocket: [{path: /s}]}", [4]),
        ]
        for (text, lines) in cases {
            let problems = read(text).problems
            #expect(problems.compactMap(\.line).sorted() == lines, "\(text): \(problems)")
        }
    }
}
