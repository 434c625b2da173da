import Invocations
import Settings
import Testing

@Suite("What a manifest says to browsers", .timeLimit(.minutes(1)))
struct WebManifestTests {
    private func read(
        _ text: String,
        file: String = "Functions/pages/function.yaml"
    ) -> (Manifest?, [Problem]) {
        let problems = Problems()
        let result = ManifestReader.read("name: pages\n" + text, file: file, problems: problems)
        return (result?.manifest, problems.all)
    }

    @Test("who may send webhooks is named, or anybody")
    func webhooks() {
        let (manifest, problems) = read("webhookOrigins: [events.example.com, \"*\"]")
        #expect(problems.isEmpty && manifest?.webhookOrigins == ["events.example.com", "*"])
        #expect(read("webhookOrigins: [\"https://events.example.com\"]").1.count == 1)
    }

    @Test("a policy is read with what goes without saying")
    func cors() {
        let (manifest, problems) = read(
            "cors: {origins: [\"https://app.example.com\", \"http://localhost:5173\"]}"
        )
        #expect(problems.isEmpty)
        #expect(manifest?.cors?.origins == ["https://app.example.com", "http://localhost:5173"])
        #expect(manifest?.cors?.headers == Manifest.CORS.usualHeaders)
        #expect(manifest?.cors?.credentials == false)
        #expect(read("summary: x").0?.cors == nil)
        let text = """
            cors:
              origins: ["https://*.example.com"]
              methods: [POST]
              headers: [X-Own]
              exposed: []
              credentials: true
              maxAge: 1h
            """
        let cors = read(text).0?.cors
        #expect(cors?.methods == ["POST"])
        #expect(cors?.headers == ["x-own"])
        #expect(cors?.exposed == [])
        #expect(cors?.credentials == true)
        #expect(cors?.maxAge == .seconds(3600))
    }

    @Test(
        "what no browser would follow is told with its line",
        arguments: [
            ("cors: {}", "missing"), ("cors: {origins: []}", "no origin"),
            ("cors: {origins: [app.example.com]}", "no origin"),
            ("cors: {origins: [\"https://app.example.com/\"]}", "no origin"),
            ("cors: {origins: [\"https://App.example.com\"]}", "no origin"),
            ("cors: {origins: [\"https://app.example.com:443\"]}", "no origin"),
            ("cors: {origins: [\"null\"]}", "no origin"),
            ("cors: {origins: [\"https://a.*.com\"]}", "no origin"),
            ("cors: {origins: [\"*\", \"https://a.com\"]}", "stands for all"),
            ("cors: {origins: [\"*\"], credentials: true}", "exclude one another"),
            (
                "cors: {origins: [\"https://a.com\"], credentials: true, headers: [\"*\"]}",
                "exclude one another"
            ),
            ("cors: {origins: [\"*\"], headers: [\"a b\"]}", "no header name"),
            ("cors: {origins: [\"*\"], methods: [TRACE]}", "not known"),
            ("cors: {origins: [\"*\"], maxAge: 2d}", "out of range"),
            ("cors: {origin: \"*\"}", "unknown key"),
        ]
    )
    func badCORS(text: String, words: String) {
        let problems = read(text).1
        #expect(problems.contains { $0.message.contains(words) && $0.line == 2 }, "\(problems)")
    }

    @Test("a folder lies below the manifest's own")
    func folders() {
        let (manifest, problems) = read(
            "static: [{path: /, folder: web, maxAge: 5m}, {path: /a/b, folder: web/a, immutable: true}]"
        )
        #expect(problems.isEmpty)
        #expect(manifest?.folders.map(\.folder) == ["Functions/pages/web", "Functions/pages/web/a"])
        #expect(manifest?.folders.map(\.path) == ["/", "/a/b"])
        #expect(manifest?.folders.map(\.maxAge) == [.seconds(300), .zero])
        #expect(manifest?.folders.map(\.immutable) == [false, true])
        #expect(
            read("static: [{path: /, folder: web}]", file: "/etc/x/function.yaml").0?.folders[0].folder
                == "/etc/x/web"
        )
        #expect(read("static: [{path: /, folder: web}]", file: "function.yaml").0?.folders[0].folder == "web")
    }

    @Test(
        "places that are none are told",
        arguments: [
            ("{path: assets, folder: web}", "no place"), ("{path: /assets/, folder: web}", "no place"),
            ("{path: /a/../b, folder: web}", "no place"), ("{path: \"/{x}\", folder: web}", "no place"),
            ("{path: /a, folder: ../web}", "below"), ("{path: /a, folder: /etc}", "below"),
            ("{path: /a, folder: \"\"}", "below"),
            ("{path: /a}", "missing"), ("{folder: web}", "missing"),
        ]
    )
    func badFolders(text: String, words: String) {
        let problems = read("static: [\(text)]").1
        #expect(problems.contains { $0.message.contains(words) }, "\(problems)")
    }
}
