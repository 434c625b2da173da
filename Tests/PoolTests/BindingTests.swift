import FunctionCore
import Invocations
import Synchronization
import Testing

@testable import WorkerPool

extension WorkerSuite {
    @Suite("binding calls")
    struct BindingCalls {
        private func bench(
            _ services: [any BindingService],
            granted: [String],
            perWorker: Int = 1
        ) -> PoolBench {
            PoolBench("call", services: services, currentToken: 7) { manifest in
                manifest.grants = granted.map { Manifest.Grant(binding: $0, line: 1) }
                manifest.limits.perWorker = perWorker
            }
        }

        @Test("a call that is granted is answered, with all that the service needs to know")
        func granted() async throws {
            let service = StateStub()
            let bench = bench([service], granted: ["state"])
            let invocation = bench.invocation(#"{"binding": "state", "key": "colour"}"#, fencingToken: 7)
            let reply = await bench.run(invocation)
            #expect(reply.body == "value of colour")
            let origin = try #require(service.seen.first)
            #expect(origin.invocation == invocation.id)
            #expect(origin.function == "call")
            #expect(origin.fencingToken == 7)
            let call = SpanID.call(1, of: invocation.trace.span)
            #expect(origin.trace == invocation.trace.at(call), "a call has a place of its own in the trace")
            try await bench.until { service.ended == [invocation.id] }
            try await bench.drain()
        }

        @Test("a call that is not granted is refused, naming the manifest, and does not reach the service")
        func notGranted() async throws {
            let service = StateStub()
            let bench = bench([service], granted: ["fetch"])
            let error = await bench.run(#"{"binding": "state", "key": "a"}"#).outcome.error
            #expect(error?.code == "binding_not_granted")
            #expect(error?.status == 403)
            #expect(error?.message.contains("function.yaml") == true)
            #expect(service.seen.isEmpty)
            let absent = await bench.run(#"{"url": "http://x"}"#).outcome.error
            #expect(absent?.code == "binding_not_available")
            try await bench.drain()
        }

        @Test("a call under a token that has passed to another is refused")
        func staleToken() async throws {
            let service = StateStub()
            let bench = bench([service], granted: ["state"])
            let reply = await bench.run(#"{"binding": "state", "key": "a"}"#, fencingToken: 6)
            #expect(reply.outcome.error?.code == "fencing_token_stale")
            #expect(service.seen.isEmpty)
            try await bench.drain()
        }

        @Test("a service's own error reaches the handler, and the text of any other stays in the host")
        func failures() async throws {
            let bench = bench([StateStub()], granted: ["state"])
            let told = await bench.run(#"{"binding": "state", "key": "missing"}"#).outcome.error
            #expect(told?.code == "not_found")
            let other = await bench.run(#"{"binding": "state", "key": "broken"}"#).outcome.error
            #expect(other?.code == "internal")
            #expect(other?.message.contains("secret") == false)
            try await bench.drain()
        }

        @Test("an answer is streamed whole, and no faster than it is read")
        func streamed() async throws {
            let service = FetchStub()
            let bench = bench([service], granted: ["fetch"])
            let reply = await bench.run(#"{"url": "3000000"}"#)
            #expect(reply.outcome.label == "ok", "\(reply.outcome)")
            #expect(reply.body.count == 3_000_000)
            #expect(reply.body.array.enumerated().allSatisfy { $1 == UInt8(truncatingIfNeeded: $0 / 1000) })
            try await bench.drain()
        }

        @Test("what nobody reads stops at 64 KiB, and is cancelled when the invocation ends")
        func cancelledAtEnd() async throws {
            let service = StateStub()
            let bench = bench([service], granted: ["state"])
            #expect(await bench.run(#"{"binding": "orphan"}"#).outcome.label == "ok")
            try await bench.until { service.cancelled == 1 }
            // A cancelled caller's call is given up as well, whether or not the handler knows.
            let reply = bench.watch(#"{"binding": "state", "key": "slow"}"#)
            try await bench.until { service.seen.count == 2 }
            reply.cancel()
            try await bench.until { service.cancelled == 2 }
            try await bench.untilIdle()
            #expect(await bench.run(#"{"binding": "state", "key": "a"}"#).outcome.label == "ok")
            #expect(bench.reports.ready == 1)
            try await bench.drain()
        }

        @Test("a call under way when its worker dies, or its time is over, is cancelled")
        func cancelledWithWorker() async throws {
            let service = StateStub()
            let bench = bench([service], granted: ["state"])
            let reply = await bench.run(#"{"binding": "state", "key": "slow"}"#, timeout: .milliseconds(150))
            #expect(reply.outcome.label == "timed_out")
            try await bench.until { service.cancelled == 1 }
            try await bench.drain()
        }

        @Test("many calls at once are each answered with their own")
        func many() async throws {
            let bench = bench([StateStub()], granted: ["state"], perWorker: 20)
            await withTaskGroup(of: (Int, CollectedReply).self) { group in
                for index in 0..<60 {
                    group.addTask { (index, await bench.run(#"{"binding": "state", "key": "k\#(index)"}"#)) }
                }
                for await (index, reply) in group { #expect(reply.body == Bytes("value of k\(index)")) }
            }
            try await bench.drain()
        }

        @Test("a body over 16 MiB is refused in the worker, which serves on")
        func tooLarge() async throws {
            let bench = bench([StateStub()], granted: ["blobs", "state"])
            let error = await bench.run(#"{"binding": "large"}"#).outcome.error
            #expect(error?.code == "call_too_large")
            #expect(await bench.run(#"{"binding": "state", "key": "a"}"#).outcome.label == "ok")
            #expect(bench.reports.ready == 1)
            try await bench.drain()
        }
    }
}

/// Answers `state.get`: `missing` fails, `broken` fails otherwise, `slow` waits until it is cancelled.
private final class StateStub: BindingService {
    struct Odd: Error, CustomStringConvertible {
        let description = "a secret of the host"
    }

    struct Record {
        var seen: [CallOrigin] = []
        var ended: [String] = []
        var cancelled = 0
    }

    let binding = "state"
    private let record = Mutex(Record())

    var seen: [CallOrigin] { record.withLock { $0.seen } }
    var ended: [String] { record.withLock { $0.ended } }
    var cancelled: Int { record.withLock { $0.cancelled } }

    func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        record.withLock { $0.seen.append(call.origin) }
        let query: StateQuery = try call.decode()
        switch query.key {
        case "missing": throw FunctionError.notFound("there is no such key")
        case "broken": throw Odd()
        case "slow":
            await untilCancelled()
            record.withLock { $0.cancelled += 1 }
            try Task.checkCancellation()
        default: try answer.send(encoding: "value of \(query.key)")
        }
    }

    func invocationEnded(_ invocation: String, final: Bool) async {
        record.withLock { $0.ended.append(invocation) }
    }
}

/// Returns once the task is cancelled: the stream never yields, and ends then.
private func untilCancelled() async {
    let (stream, continuation) = AsyncStream<Never>.makeStream()
    for await _ in stream {}
    continuation.finish()
}

/// Answers `fetch.send` with as many bytes as the URL says, in pieces of 100,000.
private struct FetchStub: BindingService {
    let binding = "fetch"

    func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        let request: FetchRequest = try call.decode()
        let total = Int(request.url) ?? 0
        try answer.send(encoding: FetchHead(status: 200, headers: [:]))
        var sent = 0
        while sent < total {
            let count = min(100_000, total - sent)
            try await answer.write(Bytes((sent..<sent + count).map { UInt8(truncatingIfNeeded: $0 / 1000) }))
            sent += count
        }
    }
}
