import Testing

/// That what belongs together is together: functions with their manifests and the catalogue, decisions with their dates, the
/// README with its commands.
@Suite("The project is whole", .timeLimit(.minutes(1)))
struct ProjectTests {
    private let project = SourceTree.project

    /// The folders of `Functions/` that hold a function.
    private var functions: [String] {
        let folders = project.below("Functions").compactMap { file -> String? in
            let parts = file.path.split(separator: "/")
            return parts.count > 2 ? String(parts[1]) : nil
        }
        return Set(folders).subtracting(["Catalog", "Bundle"]).sorted()
    }

    @Test("every function has a manifest, and its name stands in the catalogue")
    func functionsAreComplete() {
        let catalogue = project.below("Functions/Catalog").map(\.text).joined()
        #expect(functions.count >= 8)
        for folder in functions {
            let manifest = project.text("Functions/\(folder)/function.yaml")
            #expect(!manifest.isEmpty, "Functions/\(folder) has no function.yaml; write one beside its code")
            guard let name = value(of: "name", in: manifest) else {
                Issue.record("Functions/\(folder)/function.yaml:1: no name: write name: my-function")
                continue
            }
            #expect(
                catalogue.contains("\"\(name)\""),
                "the catalogue does not list \(name); add it in Functions/Catalog"
            )
        }
    }

    private func value(of key: String, in yaml: String) -> String? {
        SourceText.lines(yaml).first { $0.hasPrefix("\(key):") }.map { line in
            line.dropFirst(key.count + 1).filter { $0 != " " && $0 != "\"" }
        }
    }

    @Test("a function imports FunctionCore and nothing else of the project")
    func functionsImportTheirCoreOnly() {
        for file in project.sources where file.path.hasPrefix("Functions/") {
            guard !file.path.hasPrefix("Functions/Catalog/"), !file.path.hasPrefix("Functions/Bundle/") else {
                continue
            }
            for (index, line) in file.text.code.enumerated() where Word("import").isIn(line) {
                let words = String(decoding: line, as: UTF8.self).split(separator: " ")
                guard let at = words.firstIndex(of: "import"), at + 1 < words.count else { continue }
                let isAllowed = ["FunctionCore", "Synchronization", "Glibc"].contains(words[at + 1])
                #expect(
                    isAllowed,
                    "\(file.path):\(index + 1): imports \(words[at + 1]): reach it by a binding"
                )
            }
        }
    }

    @Test("a decision has a number of its own, a title and a date")
    func decisionsAreDated() {
        let records = project.below("Runtime/Decisions").filter { $0.path.hasSuffix(".md") }
        #expect(!records.isEmpty)
        var numbers: Set<Substring> = []
        for record in records {
            let name = record.path.split(separator: "/").last ?? ""
            let number = name.prefix { $0.isNumber }
            #expect(number.count == 4, "\(record.path): name it NNNN-title.md")
            #expect(numbers.insert(number).inserted, "\(record.path): the number \(number) is taken")
            let lines = SourceText.lines(record.text)
            #expect(lines.first?.hasPrefix("# ") == true, "\(record.path):1: begin with a title")
            let isDated = lines.prefix(5).contains { line in
                line.hasPrefix("Date: 20") && line.split(separator: "-").count == 3
            }
            #expect(isDated, "\(record.path):3: write a line such as Date: 2026-11-21")
        }
    }

    @Test("the README names the commands and the CI runs them")
    func commandsAreNamed() {
        let readme = project.text("README.md")
        for command in ["make dev", "make test", "make build", "make demo", "make bench"] {
            #expect(readme.contains(command), "README.md does not name `\(command)`")
        }
        for target in ["dev", "build", "test", "bench", "demo", "lint"] {
            #expect(project.text("Makefile").contains("\n\(target):"), "the Makefile has no target \(target)")
        }
        #expect(project.text(".ci/run").contains("test"))
        #expect(project.text(".github/workflows/ci.yml").contains(".ci/run"))
    }

    @Test("every module of the runtime is named in the README's layout")
    func layoutIsCurrent() {
        let readme = project.text("README.md")
        let rooms = Set(
            project.below("Runtime").compactMap { $0.path.split(separator: "/").dropFirst().first }
        )
        for room in rooms.sorted()
        where project.sources.contains(where: { $0.path.hasPrefix("Runtime/\(room)/") }) {
            #expect(readme.contains("\(room)/"), "README.md: the layout does not name Runtime/\(room)/")
        }
    }

    @Test("every link of the README and of the guide leads to a file and to a heading of it")
    func linksLead() {
        let pages = ["README.md"] + project.below("Runtime/Guide").map(\.path)
        for page in pages {
            for link in project.text(page).matches(of: /\]\(([^)#\s]*)(?:#([^)\s]*))?\)/) {
                let path = String(link.1)
                if path.contains("://") { continue }
                let folder = page.split(separator: "/").dropLast().map(String.init)
                let target = path.isEmpty ? page : Self.resolved(path, from: folder)
                guard let anchor = link.2 else {
                    let isThere = !project.text(target).isEmpty || target.hasSuffix(".png")
                    #expect(isThere, "\(page): there is no \(target)")
                    continue
                }
                let headings = project.text(target).split(separator: "\n").filter { $0.hasPrefix("#") }
                let anchors = headings.map { Self.anchor($0.drop { $0 == "#" || $0 == " " }) }
                #expect(anchors.contains(String(anchor)), "\(page): \(target) has no heading #\(anchor)")
            }
        }
    }

    private static func resolved(_ path: String, from folder: [String]) -> String {
        var parts = folder
        for part in path.split(separator: "/") {
            if part == ".." { parts.removeLast() } else { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }

    /// What a heading is called in links: small, without signs, with dashes for spaces.
    private static func anchor(_ heading: Substring) -> String {
        String(heading.lowercased().filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) })
            .replacing(" ", with: "-")
    }
}
