import Scaffold
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PackageEditTests {
    private let package = """
        // let functions = the list below
        let functions = [
            "Lotto", "Sketch",
        ]
        let package = Package(name: "x", targets: [.target(name: "Storage2")])

        """
    private let catalogue = """
        import FunctionCore
        import Lotto
        import Sketch

        /// All of them.
        public let catalog: [FunctionEntry] = [
            FunctionEntry("lotto", LottoFunction.self),
            FunctionEntry("sketch", SketchFunction.self),
        ]

        """

    @Test("a function is added to both lists, its import in its place, and nothing else changes")
    func adds() throws {
        let name = try FunctionName("night-owl")
        let expected = package.replacing(
            "    \"Lotto\", \"Sketch\",\n",
            with: "    \"Lotto\", \"Sketch\",\n    \"NightOwl\",\n"
        )
        #expect(try PackageEdit.manifest(package, adding: name) == expected)
        let listed = try PackageEdit.catalogue(catalogue, adding: name)
        #expect(listed.contains("import Lotto\nimport NightOwl\nimport Sketch\n"))
        let entry = "    FunctionEntry(\"night-owl\", NightOwlFunction.self),\n]"
        #expect(listed.contains(entry))
        #expect(listed.split(separator: "\n").count == catalogue.split(separator: "\n").count + 2)
    }

    @Test("what is listed already is left as it is")
    func idempotent() throws {
        let name = try FunctionName("night-owl")
        let once = try PackageEdit.manifest(package, adding: name)
        #expect(try PackageEdit.manifest(once, adding: name) == once)
        let listed = try PackageEdit.catalogue(catalogue, adding: name)
        #expect(try PackageEdit.catalogue(listed, adding: name) == listed)
    }

    @Test("lists in one line, empty ones and ones without a last comma take an item too")
    func shapes() throws {
        let name = try FunctionName("owl")
        for list in ["let functions = []", "let functions: [String] = [\n]", "let functions = [\"A\"]"] {
            let edited = try PackageEdit.manifest(list, adding: name)
            #expect(edited.contains("\n    \"Owl\",\n]"), "\(edited)")
            #expect(!list.contains("A") || edited.contains("    \"A\",\n"))
        }
        let open = try PackageEdit.manifest("let functions = [\n    \"A\"\n]", adding: name)
        #expect(open == "let functions = [\n    \"A\",\n    \"Owl\",\n]")
    }

    @Test("a file without the list, another target of the name and another handler are refused in words")
    func refuses() throws {
        let name = try FunctionName("lotto")
        #expect(throws: ScaffoldError.self) { try PackageEdit.manifest("let package = 1", adding: name) }
        #expect(throws: ScaffoldError.self) { try PackageEdit.catalogue("import Lotto", adding: name) }
        let taken = try FunctionName("storage2")
        let error = #expect(throws: ScaffoldError.self) { try PackageEdit.manifest(package, adding: taken) }
        #expect(error?.description.contains("Storage2") == true)
        let other = catalogue.replacing("LottoFunction", with: "OtherFunction")
        #expect(throws: ScaffoldError.self) { try PackageEdit.catalogue(other, adding: name) }
    }
}
