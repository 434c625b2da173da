import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    @Suite("Batches", .timeLimit(.minutes(1)))
    struct BatchTests {
        @Test("64 requests at once reach the provider in four at most, and each client gets its own answer")
        func requests() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let options = FixtureProject.options(in: place.path)
            let manifest = """
                triggers: {http: [{method: POST, path: /batched}]}
                batch: {max: 32, window: 500ms}
                bindings: [text]
                """
            FixtureProject.write("batched", manifest, in: place.path)
            try await DevHost.run(options) { host in
                let answers = try await withThrowingTaskGroup { group in
                    for number in 0..<64 {
                        group.addTask { (number, try await host.post("/batched", .integer(Int64(number)))) }
                    }
                    return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
                }
                var batches: Set<String> = []
                for (number, answer) in answers {
                    #expect(
                        answer.status == 201 && answer.json["text"] == .string("\(number)"),
                        "\(answer.text)"
                    )
                    batches.insert(answer.json["batch"]?.stringValue ?? "")
                }
                // The function asks the model once in each of its invocations.
                #expect(batches.count <= 4 && answers.count == 64)
            }
        }
    }
}
