import FunctionCore
import Invocations
import Synchronization
import Testing

@testable import WorkerPool

extension WorkerSuite {
    @Suite("batches")
    struct Batches {
        private func bench(_ model: CountingModel, function: String = "batched") -> PoolBench {
            PoolBench(function, services: [model]) { manifest in
                manifest.grants = [Manifest.Grant(binding: "text", line: 1)]
                manifest.batch = Manifest.Batch(max: 32, window: .milliseconds(500))
                manifest.limits.perWorker = 4
            }
        }

        private func ask(_ bench: PoolBench, _ texts: [String]) async -> [CollectedReply] {
            await withTaskGroup { group in
                for (index, text) in texts.enumerated() {
                    var invocation = bench.invocation()
                    invocation.event.body = Bytes(text)
                    let one = invocation
                    group.addTask { (index, await bench.run(one)) }
                }
                let replies = await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
                return texts.indices.compactMap { replies[$0] }
            }
        }

        @Test("64 callers at once make a few requests to the model, and each gets its own answer")
        func coalesced() async throws {
            let model = CountingModel()
            let bench = bench(model)
            let texts = (0..<64).map { "text \($0)" }
            let replies = await ask(bench, texts)
            #expect(model.count <= 4)
            #expect(replies.map(\.status) == Array(repeating: 201, count: 64))
            let answers = replies.compactMap { try? JSON.parse($0.body) }
            #expect(answers.map { $0["text"]?.stringValue } == texts)
            #expect(Set(answers.compactMap { $0["batch"]?.stringValue }).count == model.count)
            let places = bench.reports.invocations.flatMap(\.members)
            #expect(Set(places.map(\.traceID)).count == 64, "each event has a place in its own trace")
            try await bench.drain()
        }

        @Test(
            "an error for one event is that event's alone; a large reply comes whole; a throw is everybody's"
        )
        func errors() async throws {
            let bench = bench(CountingModel())
            let replies = await ask(bench, ["one", "bad", "large"])
            #expect(replies[0].status == 201)
            guard case .failed(let error) = replies[1].outcome else {
                Issue.record("\(replies[1].outcome)")
                return
            }
            #expect(error.code == "bad" && error.status == 400 && error.retry == .never)
            #expect(replies[2].body.count == 300_000)
            for text in ["all", "few"] {
                let codes = await ask(bench, ["one", text]).map { $0.outcome.error?.code }
                #expect(codes == Array(repeating: text == "all" ? "all" : "bad_batch_reply", count: 2))
            }
            try await bench.drain()
        }

        @Test("a function that takes one event at a time says that it cannot be batched")
        func unfit() async throws {
            for function in ["echo", "echo-async"] {
                let bench = bench(CountingModel(), function: function)
                let reply = await ask(bench, ["one"])[0]
                #expect(reply.outcome.error?.code == "not_a_batch_function")
                try await bench.drain()
            }
        }
    }
}

/// Counts the requests to a model, and answers them.
private final class CountingModel: BindingService {
    let binding = "text"
    private let asked = Mutex(0)
    var count: Int { asked.withLock { $0 } }

    func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        asked.withLock { $0 += 1 }
        try answer.send(
            encoding: Completion(text: "", finishReason: "stop", model: "m", offline: true, usage: nil)
        )
    }
}
