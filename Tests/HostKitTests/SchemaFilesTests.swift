import FunctionCore
import HostKit
import Invocations
import Settings
import TestSupport
import Testing

@Suite("Schema files", .timeLimit(.minutes(1)))
struct SchemaFilesTests {
    private let triggers = "triggers:\n  http: [{method: POST, path: /v1/notes, operation: write}]\n"

    private func load(_ schemas: String, _ files: [String: String]) -> (Manifest?, [String]) {
        var all = [
            "functions/Notes/function.yaml": manifestText("notes", "\(triggers)schemas:\n\(schemas)\n")
        ]
        for (name, text) in files { all["functions/Notes/\(name)"] = text }
        let (project, problems) = ProjectFolder(all).load(bundle: ["notes"])
        return (project.manifests.first, problems.map(\.description))
    }

    @Test("files that a manifest names are read, and those to which these refer, in circles too")
    func files() {
        let (manifest, problems) = load(
            "  write: {request: a.json, responses: {201: s/b.json}, errors: [404], events: true}",
            [
                "a.json": #"{"$ref": "s/b.json"}"#, "s/b.json": #"{"items": {"$ref": "../c.json#/$defs/x"}}"#,
                "c.json": #"{"$ref": "a.json"}"#,
            ]
        )
        #expect(problems.filter { $0.contains("Notes") } == [])
        #expect(Set(manifest?.schemas.keys ?? [:].keys) == ["a.json", "s/b.json", "c.json"])
        let contract = manifest?.contracts["write"]
        #expect(contract?.request == "a.json" && contract?.responses == [201: "s/b.json"])
        #expect(contract?.errors == [404] && contract?.events == true)
    }

    @Test(
        "what is wrong with schemas is told with the manifest's line",
        arguments: [
            ("  wirte: {request: a.json}", "there are write"),
            ("  write: {request: none.json}", "none.json cannot be read"),
            ("  write: {request: ../a.json}", "does not lie below"),
            ("  write: {request: bad.json}", "is no JSON"),
            ("  write: {request: list.json}", "is no JSON Schema"),
            ("  write: {responses: {404: a.json}}", "is no status of a reply"),
            ("  write: {errors: [200]}", "errors"), ("  write: {replies: {}}", "replies"),
        ]
    )
    func faults(schemas: String, message: String) {
        let (_, problems) = load(schemas, ["a.json": "{}", "bad.json": "{", "list.json": "[]"])
        #expect(problems.contains { $0.contains(message) && $0.contains("function.yaml:") }, "\(problems)")
    }
}
