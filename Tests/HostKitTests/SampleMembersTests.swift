import FunctionCore
import HostKit
import Invocations
import Testing

@Suite("Examples by a schema", .timeLimit(.minutes(1)))
struct SampleMembersTests {
    private func members(_ schema: JSON) -> SampleMembers {
        var manifest = Manifest(name: "a")
        var contract = Manifest.Contract()
        contract.request = "a.json"
        manifest.contracts["make"] = contract
        manifest.schemas["a.json"] = schema
        return SampleMembers(manifest, "make")
    }

    @Test("the schema's example comes first, and what it lacks and must have is made up by its type")
    func made() {
        let schema: JSON = [
            "examples": [["tone": "calm"]],
            "required": ["tone", "count", "name", "list", "on", "kind", "day", "odd"],
            "properties": [
                "count": ["type": ["integer", "null"], "minimum": 3], "name": ["type": "string"],
                "list": ["type": "array"], "on": ["type": "boolean"], "kind": ["enum": ["a", "b"]],
                "day": ["type": "string", "examples": ["2026-11-21"]], "odd": ["$ref": "b.json"],
                "free": ["type": "string"],
            ],
        ]
        let wanted: JSON = [
            "tone": "calm", "count": 3, "name": "sample", "list": [], "on": false, "kind": "a",
            "day": "2026-11-21",
        ]
        #expect(JSON.object(members(schema).members) == wanted)
        #expect(members([:]).members.isEmpty && members([]).members.isEmpty)
        #expect(SampleMembers(Manifest(name: "a"), "make").members.isEmpty)
    }

    @Test(
        "what stands in the path is taken out, and the rest makes a query without anything that would end it"
    )
    func query() {
        var members = members(["examples": [["user": 7, "q": "a b&c=ä", "deep": ["n": 1]]]])
        #expect(members.take("user") == "7" && members.take("user") == nil)
        #expect(members.query == "?q=a%20b%26c%3D%C3%A4&deep=%7B%22n%22%3A1%7D")
        #expect(SampleMembers(Manifest(name: "a"), "make").query.isEmpty)
    }
}
