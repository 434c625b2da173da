import Testing

/// What a formatter cannot see.
///
/// Each message reads `file:line: rule: fix`.
@Suite("The house is tidy", .timeLimit(.minutes(1)))
struct TidyTests {
    private let project = SourceTree.project
    private static let lineLimit = 400

    private func expectNone(_ violations: [Violation], _ location: SourceLocation = #_sourceLocation) {
        let list = violations.map(\.description).joined(separator: "\n")
        #expect(violations.isEmpty, "\(violations.count) to mend:\n\(list)", sourceLocation: location)
    }

    private func checkCode(_ rule: (SourceText, String) -> [Violation]) -> [Violation] {
        project.sources.flatMap { rule($0.text, $0.path) }
    }

    @Test("the suite finds the project that it is to check")
    func findsTheProject() {
        #expect(project.sources.count > 100)
        #expect(project.sources.contains { $0.path == "Tests/Tidy/TidyTests.swift" })
        #expect(!project.text("Package.swift").isEmpty)
    }

    @Test("a file has 400 lines at most")
    func filesAreShort() {
        let long = project.sources.compactMap { file -> Violation? in
            let count = file.text.lines.count
            guard count > TidyTests.lineLimit else { return nil }
            return Violation(
                path: file.path,
                line: count,
                rule: "the file has \(count) lines",
                fix: "\(TidyTests.lineLimit) at most: move a type, or an extension, to a file of its own"
            )
        }
        expectNone(long)
    }

    @Test("a function's body has 60 lines at most")
    func bodiesAreShort() {
        expectNone(checkCode(BodyLength.violations))
    }

    @Test("what is banned is said only where the table allows it")
    func nothingBanned() {
        expectNone(
            checkCode { source, path in BannedWord.table.flatMap { $0.violations(in: source, of: path) } }
        )
    }

    @Test("every unchecked construct says why it is sound")
    func unsafeIsExplained() {
        expectNone(checkCode(SafetyRule.violations))
    }

    @Test("nothing is left to do in a comment")
    func nothingLeftToDo() {
        // Put together, as this file is read too.
        let marks = ["TO" + "DO", "FIX" + "ME", "HA" + "CK"]
        let leads = ["// ", "/// ", "# "]
        let words = leads.flatMap { lead in marks.map { lead + $0 } }
        expectNone(
            matches(
                words,
                rule: "something is left to do",
                fix: "do it, or write an issue and name it in a sentence"
            )
        )
    }

    @Test("no file names a path of one machine")
    func noPathOfOneMachine() {
        let paths = ["/wo" + "rk/", "/ho" + "me/", "/Us" + "ers/", "/tmp/scr" + "atch"]
        expectNone(matches(paths, rule: "a path of one machine", fix: "name it from the project's folder on"))
    }

    private func matches(_ words: [String], rule: String, fix: String) -> [Violation] {
        project.files.filter { file in words.contains { file.text.contains($0) } }.flatMap { file in
            SourceText.lines(file.text).enumerated().compactMap { index, line in
                guard words.contains(where: { line.contains($0) }) else { return nil }
                return Violation(path: file.path, line: index + 1, rule: rule, fix: fix)
            }
        }
    }
}
