import FunctionCore
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("What has happened of late", .serialized, HostTrait.fixtures, .timeLimit(.minutes(1)))
    struct ActivityTests {
        private func list(_ query: String) async throws -> [JSON] {
            let answer = try await HTTP.get("\(sharedHost().admin)/v1/invocations?\(query)")
            try #require(answer.status == 200, "\(answer.text)")
            return answer.json["invocations"]?.arrayValue ?? []
        }

        @Test("an invocation is found by what it did, with its calls, its lines and how it ended")
        func shown() async throws {
            let host = try sharedHost()
            let said = try await host.post("/print", ["text": "hello"])
            let header = said.headers.first("x-swiftlet-invocation") ?? said.headers.first("x-request-id")
            let id = try #require(header)
            let refused = try await host.post("/call", ["binding": "emit"])
            #expect(refused.status == 403, "\(refused.text)")

            let calls = try await list("function=call&outcome=failed&search=BINDING_not")
            let failed = try #require(calls.first)
            #expect(failed["status"]?.intValue == 403 && failed["code"]?.stringValue == "binding_not_granted")
            #expect(
                failed["trigger"]?.stringValue == "http" && failed["calls"]?.intValue == 1,
                "\(failed.text)"
            )
            let own = try #require(failed["id"]?.stringValue)
            let whole = try await HTTP.get("\(host.admin)/v1/invocations/\(own)").json
            let call = try #require(whole["attempts"]?[0]?["calls"]?[0], "\(whole.text)")
            #expect(call["binding"]?.stringValue == "emit" && call["method"]?.stringValue == "emit")
            #expect(call["code"]?.stringValue == "binding_not_granted")
            #expect((call["duration_ms"]?.doubleValue ?? -1) >= 0)

            // What a process prints may be read after its reply.
            let lines = try await eventually("the lines of \(id)") { () -> [String]? in
                let shown = try await HTTP.get("\(host.admin)/v1/invocations/\(id)").json
                let lines = shown["attempts"]?[0]?["lines"]?.arrayValue?.compactMap {
                    $0["message"]?.stringValue
                }
                return (lines?.count ?? 0) >= 3 ? lines : nil
            }
            #expect(lines.contains("out hello") && lines.contains("err hello"), "\(lines)")

            let unknown = try await HTTP.get("\(host.admin)/v1/invocations/nobody")
            #expect(unknown.status == 404, "\(unknown.text)")
            let bad = try await HTTP.get("\(host.admin)/v1/invocations?limit=0")
            #expect(bad.status == 422 && bad.message.contains("1 to 1000"), "\(bad.text)")
        }

        @Test("pages follow each other by `before`")
        func pages() async throws {
            let host = try sharedHost()
            for _ in 0..<7 { _ = try await host.post("/echo", ["a": 1]) }
            var seen: [Int] = []
            var before = ""
            while true {
                let answer = try await HTTP.get("\(host.admin)/v1/invocations?function=echo&limit=3\(before)")
                    .json
                let page = answer["invocations"]?.arrayValue ?? []
                #expect(page.count <= 3)
                seen += page.compactMap { $0["number"]?.intValue }
                guard let next = answer["before"]?.intValue else { break }
                before = "&before=\(next)"
            }
            #expect(seen.count >= 7 && seen == seen.sorted(by: >) && Set(seen).count == seen.count)
        }

        @Test("who follows the feed hears of invocations, lines and workers as they come")
        func feed() async throws {
            let host = try sharedHost()
            let url = "\(host.admin)/v1/events?kinds=invocation,log,worker"
            async let heard = Ran.run(ChildSpec("curl", ["-sN", "--max-time", "5", url]))
            // Until the reader is there, what happens is not for it.
            for _ in 0..<30 {
                _ = try await host.post("/print", ["text": "x"])
                _ = try await host.post("/crash", [:])
                try await Task.sleep(for: .milliseconds(100))
            }
            let text = try await heard.output
            for word in ["event: invocation\ndata: {", "event: worker\ndata: {", "worker_lost", "event: log"]
            {
                #expect(text.contains(word), "\(word) is not in \(text.prefix(2000))")
            }
            let bad = try await HTTP.get("\(host.admin)/v1/events?kinds=invocation,nothing")
            #expect(bad.status == 422 && bad.message.contains("invocation, log, worker"), "\(bad.text)")
        }
    }
}
