import Testing

/// The rules themselves, against small pieces of code.
@Suite("The rules of tidiness", .timeLimit(.minutes(1)))
struct TidyRulesTests {
    @Test("comments and strings are blanked, and what they interpolate is not")
    func blanks() {
        let source = SourceText(
            ##"""
            let a = "print(1) \(print(2)) \"x" // print(3)
            /* print(4) /* nested */ still */ let b = #"raw " \(no) \#(yes)"#
            """##
        )
        let code = source.code.map { String(decoding: $0, as: UTF8.self) }
        #expect(code.count == 2)
        #expect(!code[0].contains("print(1)"))
        #expect(code[0].contains("print(2)"))
        #expect(!code[0].contains("print(3)"))
        #expect(!code[1].contains("print(4)"))
        #expect(code[1].contains("let b ="))
        #expect(!code[1].contains("no"))
        #expect(code[1].contains("yes"))
    }

    @Test(
        "a word counts only as itself",
        arguments: [
            ("    print(x)", true), ("    debugPrint(x)", false), ("    log.print(x)", false),
            ("    sprint(x)", false),
        ]
    )
    func words(line: String, says: Bool) {
        #expect(Word("print(").isIn(Array(line.utf8)[...]) == says)
    }

    @Test("a banned word is found where it is banned, and nowhere else")
    func banned() throws {
        let rule = BannedWord("print(", in: ["Runtime/"], except: ["Runtime/CLI/"], fix: "log it")
        let source = SourceText("let x = 1\nprint(x)\n")
        let found = rule.violations(in: source, of: "Runtime/Core/X.swift")
        #expect(
            try #require(found.first).description == "Runtime/Core/X.swift:2: `print(` is banned here: log it"
        )
        #expect(rule.violations(in: source, of: "Runtime/CLI/X.swift").isEmpty)
        #expect(rule.violations(in: source, of: "Tests/X.swift").isEmpty)
    }

    @Test("an unchecked construct needs its reason within three lines")
    func safety() {
        let bare = SourceText("final class A: @unchecked Sendable {}")
        #expect(SafetyRule.violations(in: bare, of: "A.swift").count == 1)
        let told = SourceText("// SAFETY: it has no state.\nfinal class A: @unchecked Sendable {}")
        #expect(SafetyRule.violations(in: told, of: "A.swift").isEmpty)
        let far = SourceText("// SAFETY: far away.\n\n\n\nfinal class A: @unchecked Sendable {}")
        #expect(SafetyRule.violations(in: far, of: "A.swift").count == 1)
    }

    @Test("a body is counted between its own braces")
    func bodies() {
        let code = SourceText(
            """
            func a(
                _ b: () -> Void = { }
            ) async throws
            {
                if true {
                    b()
                }
            }
            """
        ).code
        #expect(BodyLength.length(code, from: 0) == 3)
        #expect(BodyLength.declaration("    package static func a<T>(_ b: T) {") == "`a`")
        #expect(BodyLength.declaration("    @inlinable public init?(x: Int) {") == "`init`")
        #expect(BodyLength.declaration("        self.init(x: 1)") == nil)
    }

    @Test("a requirement of a protocol has no body")
    func requirements() {
        let code = SourceText("protocol P {\n    func a() throws\n    func b() -> Int\n}\nfunc c() {\n}\n")
            .code
        #expect(BodyLength.length(code, from: 1) == nil)
        #expect(BodyLength.length(code, from: 2) == nil)
        #expect(BodyLength.length(code, from: 4) == 0)
    }
}
