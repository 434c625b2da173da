import FunctionCore
import Invocations
import Testing

@testable import WorkerPool

extension WorkerSuite {
    @Suite("streams")
    struct Streams {
        private static let window = 64 * 1024

        @Test("a stream comes piece by piece and whole")
        func whole() async throws {
            let bench = PoolBench("stream")
            let reply = await bench.run(#"{"events": 3, "size": 4, "delay": 1}"#)
            #expect(reply.body == "data: 0:xx\n\ndata: 1:xx\n\ndata: 2:xx\n\n")
            #expect(reply.headers.first("content-type") == "text/event-stream")
            #expect(reply.outcome.label == "ok")
            try await bench.drain()
        }

        @Test("a reader that grants nothing stops its own stream at 64 KiB, and no other")
        func credit() async throws {
            let bench = PoolBench("stream") {
                $0.limits.perWorker = 4
                $0.scale.max = 1
            }
            let slow = bench.watch(#"{"events": 1000, "size": 1000}"#)
            try await bench.until { slow.count == Streams.window }
            // Others on the same worker go on, for longer than the slow one would need for its next piece.
            for _ in 0..<5 {
                let other = await bench.run(#"{"events": 200, "size": 1000}"#)
                #expect(other.body.count == (0..<200).reduce(0) { count, _ in count + 1008 })
            }
            #expect(slow.count == Streams.window)
            slow.grant(10_000)
            try await bench.until { slow.count == Streams.window + 10_000 }
            #expect(await bench.run(#"{"events": 1}"#).outcome.label == "ok")
            #expect(slow.count == Streams.window + 10_000)
            #expect(!slow.ended)
            slow.grant(2_000_000)
            try await bench.until { slow.ended }
            #expect(slow.outcomes.map(\.label) == ["ok"])
            #expect(slow.heads == 1)
            #expect(slow.count == 1000 * 1008)
            #expect(Set(bench.reports.invocations.map(\.pid)).count == 1)
            try await bench.drain()
        }

        @Test("a stream that is cancelled in its midst ends once, and its worker serves on")
        func cancel() async throws {
            let bench = PoolBench("stream")
            let reply = bench.watch(#"{"events": 100000, "size": 1000}"#)
            try await bench.until { reply.count == Streams.window }
            reply.cancel()
            reply.cancel()
            try await bench.until { reply.ended }
            reply.grant(100)
            #expect(await bench.run(#"{"events": 1}"#).outcome.label == "ok")
            #expect(reply.outcomes.map(\.label) == ["cancelled"])
            #expect(bench.reports.ready == 1)
            try await bench.drain()
        }

        @Test("a stream that pauses for longer than its idle limit, or begins too late, is cut")
        func limits() async throws {
            let bench = PoolBench("stream") { $0.limits.idle = .milliseconds(150) }
            let reply = await bench.run(#"{"events": 3, "delay": 5000}"#)
            #expect(reply.outcome.label == "timed_out")
            #expect(reply.status == 200)
            try await bench.drain()
            let late = PoolBench("slow") { $0.limits.firstByte = .milliseconds(150) }
            #expect(await late.run(#"{"ms": 5000}"#).outcome.label == "timed_out")
            try await late.drain()
        }

        @Test("a drain lets a stream end within its grace and cuts it after")
        func drain() async throws {
            let bench = PoolBench("stream")
            let short = bench.watch(#"{"events": 20, "delay": 10}"#)
            try await bench.until { short.heads == 1 }
            try await bench.drain()
            #expect(short.outcomes.map(\.label) == ["ok"])
            #expect(await bench.run().outcome.label == "shed")
            let other = PoolBench("stream")
            let long = other.watch(#"{"events": 20, "delay": 10000}"#)
            try await other.until { long.heads == 1 }
            try await other.drain(grace: .milliseconds(100))
            #expect(long.outcomes.map(\.label) == ["shed"])
        }
    }
}
