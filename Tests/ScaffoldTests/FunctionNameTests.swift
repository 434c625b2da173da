import Foundation
import Scaffold
import Testing

@Suite(.timeLimit(.minutes(1)))
struct FunctionNameTests {
    @Test("a name of dashed words gives the module and the handler's type")
    func derives() throws {
        let name = try FunctionName("sales-report2")
        #expect(name.module == "SalesReport2")
        #expect(name.type == "SalesReport2Function")
    }

    @Test(
        "a name that the manifest's reader, the compiler or SwiftPM would refuse is refused with a remedy",
        arguments: [
            "", "Hello", "2fast", "a--b", "-a", "a-", "a_b", "a b", "naïve", "../x",
            String(repeating: "a", count: 65), "swift", "storage", "testing", "motto", "self", "any", "typed",
            "async", "worker-kit", "yams",
            "argument-parser", "n-i-o",
        ]
    )
    func refuses(_ text: String) {
        let error = #expect(throws: ScaffoldError.self) { try FunctionName(text) }
        #expect(error?.description.contains("such as") == true)
    }

    @Test("every target of this package is a name that no function can have")
    func targets() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = root.deletingLastPathComponent().appending(path: "Package.swift")
        let text = try String(contentsOf: file, encoding: .utf8)
        let functions = try #require(text.firstMatch(of: /let functions = \[([^\]]*)\]/)).output.1
        let named =
            functions.split(separator: "\"").filter { $0.first?.isLetter == true }.map(String.init)
            + text.matches(of: /(?:name: |room\(\s*)"([A-Z][A-Za-z0-9]*)"/).map {
                String($0.1)
            }
        #expect(named.count > 40)
        for module in named where !module.hasSuffix("Tests") && !ModuleNames.isTaken(module) {
            Issue.record("\(module) is a target, and ModuleNames does not have it")
        }
    }
}
