import FunctionCore
import Glibc
import Invocations
import NIOCore
import Synchronization
import Testing

@testable import WorkerPool

extension WorkerSuite {
    @Suite("good workers")
    struct Good {
        @Test(
            "an echo keeps body and content type, and the second comes from the same worker, warm",
            arguments: ["echo", "echo-async"]
        )
        func echo(_ function: String) async throws {
            let bench = PoolBench(function)
            var invocation = bench.invocation()
            invocation.event = Event(
                kind: .http,
                request: HTTPRequest(
                    method: "POST",
                    target: "/",
                    headers: [Header("Content-Type", "image/png")]
                ),
                body: Bytes([0, 255, 13, 10])
            )
            for _ in 0..<3 {
                let reply = await bench.run(invocation)
                #expect(reply.outcome.label == "ok")
                #expect(reply.status == 200)
                #expect(reply.headers.first("content-type") == "image/png")
                #expect(reply.body == Bytes([0, 255, 13, 10]))
            }
            #expect(bench.reports.invocations.map(\.cold) == [true, false, false])
            #expect(Set(bench.reports.invocations.map(\.pid)).count == 1)
            #expect(bench.reports.invocations.map(\.bytesOut) == [4, 4, 4])
            try await bench.drain()
            #expect(bench.reports.gone.map(\.asked) == [true])
        }

        @Test("a typed function decodes and encodes, and a wrong input is 422 naming the member")
        func typed() async throws {
            let bench = PoolBench("typed")
            let reply = await bench.run(#"{"name": "Ada", "times": 2}"#)
            let json = try JSON.parse(reply.body).objectValue
            #expect(json?["greetings"]?.arrayValue?.count == 2)
            let wrong = await bench.run(#"{"name": "Ada", "times": "two"}"#)
            guard case .failed(let error) = wrong.outcome else {
                Issue.record("\(wrong.outcome)")
                return
            }
            #expect(error.status == 422)
            #expect(error.message.contains("times"))
            try await bench.drain()
        }

        @Test("replies of all sizes come back whole", arguments: [0, 1, 65_535, 65_536, 65_537, 5_000_001])
        func sizes(_ count: Int) async throws {
            let bench = PoolBench("big")
            let reply = await bench.run(#"{"bytes": \#(count)}"#)
            #expect(reply.outcome.label == "ok")
            #expect(reply.body.array == (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            try await bench.drain()
        }

        @Test("a request of 8 MiB goes through")
        func largeRequest() async throws {
            let bench = PoolBench("echo")
            var invocation = bench.invocation()
            invocation.event = Event(body: Bytes([UInt8](repeating: 9, count: 8 << 20)))
            let reply = await bench.run(invocation)
            #expect(reply.body == invocation.event.body)
            try await bench.drain()
        }

        @Test("many at once share the workers there may be, and all are answered")
        func many() async throws {
            let bench = PoolBench("slow") {
                $0.scale.max = 2
                $0.limits.perWorker = 3
            }
            await withTaskGroup(of: String.self) { group in
                for _ in 0..<40 { group.addTask { await bench.run(#"{"ms": 3}"#).outcome.label } }
                for await label in group { #expect(label == "ok") }
            }
            #expect(Set(bench.reports.invocations.map(\.pid)).count <= 2)
            try await bench.drain()
        }

        @Test("what a handler prints and logs is told with its invocation's id")
        func prints() async throws {
            let bench = PoolBench("print")
            let first = bench.invocation(#"{"text": "one"}"#)
            let second = bench.invocation(#"{"text": "two"}"#)
            for invocation in [first, second] { #expect(await bench.run(invocation).outcome.label == "ok") }
            try await bench.until { bench.reports.lines.count >= 8 }
            for (invocation, text) in [(first, "one"), (second, "two")] {
                let lines = bench.reports.lines.filter { $0.invocation == invocation.id }
                #expect(
                    lines.contains {
                        $0.source == "stdout" && $0.message == "out \(text)" && $0.level == .info
                    }
                )
                #expect(
                    lines.contains {
                        $0.source == "stderr" && $0.message == "err \(text)" && $0.level == .warning
                    }
                )
                #expect(
                    lines.contains {
                        $0.source == "log" && $0.message == "log \(text)" && $0.metadata == ["key": "value"]
                    }
                )
                #expect(lines.contains { $0.level == .debug && $0.message == "detail" })
                #expect(lines.allSatisfy { $0.traceID == invocation.trace.traceID && $0.function == "print" })
            }
            try await bench.drain()
        }

        @Test("a caller that comes again as soon as it is answered finds the worker that is free")
        func again() async throws {
            let bench = PoolBench("echo")
            let sink = RepeatingSink(bench: bench, times: 20)
            bench.pool.loop.execute { sink.go() }
            try await bench.until { sink.done }
            #expect(bench.reports.ready == 1)
            #expect(Set(bench.reports.invocations.map(\.pid)).count == 1)
            try await bench.drain()
        }

        @Test("a function's own errors reach the caller as they are, and others without harm to the worker")
        func failures() async throws {
            let bench = PoolBench("failing")
            let told = await bench.run().outcome.error
            #expect(told?.status == 422)
            #expect(told?.code == "told_to")
            #expect(told?.faults.map(\.path) == ["name"])
            #expect(told?.retry == .after(.seconds(7)))
            #expect(await bench.run(#"{"mode": "unhandled"}"#).outcome.error?.code == "unhandled_error")
            let status = await bench.run(#"{"mode": "status", "status": 99}"#).outcome.error
            #expect(status?.code == "invalid_reply")
            #expect(await bench.run(#"{"mode": "status", "status": 418}"#).status == 418)
            #expect(await bench.run(#"{"mode": "long"}"#).outcome.error?.code == "long")
            #expect(bench.reports.ready == 1)
            try await bench.drain()
        }
    }
}

/// Dispatches the next invocation from within the end of the last.
private final class RepeatingSink: ReplySink {
    let eventLoop: any EventLoop
    private let bench: PoolBench
    private let left: Mutex<Int>

    init(bench: PoolBench, times: Int) {
        self.bench = bench
        self.eventLoop = bench.pool.loop
        left = Mutex(times)
    }

    var done: Bool { left.withLock { $0 == 0 } }
    func go() { _ = bench.pool.dispatch(bench.invocation(), to: self) }
    func head(status: Int, headers: [Header]) {}
    func chunk(_ bytes: ByteBuffer) {}
    func end(_ outcome: Outcome) {
        let more = left.withLock { left in
            left -= 1
            return left > 0
        }
        if more { go() }
    }
}
