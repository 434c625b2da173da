import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import Recordings
import Wire

/// The admin API's part on recordings: listed, given away, run again.
struct RecordingsAPI: Sendable {
    let host: HostState
    private var store: RecordingStore { host.recordings }

    private static let timesMax = 1000

    var routes: [EndpointRoute] {
        [
            EndpointRoute("GET", "/v1/recordings") { _ in
                .json(["recordings": .array(await store.list().map(\.json))])
            },
            EndpointRoute("GET", "/v1/recordings/{id}") { request in
                await answer {
                    let bytes = try await kept(request)
                    return EndpointResponse(headers: [.json], body: .bytes(bytes))
                }
            },
            EndpointRoute("POST", "/v1/recordings/{id}/replay") { request in
                await answer { try await replay(try await kept(request), request) }
            },
            EndpointRoute("POST", "/v1/replay", bodyLimit: 64 << 20) { request in
                await answer { try await replay(request.body, request) }
            },
        ]
    }

    private func answer(_ body: () async throws -> EndpointResponse) async -> EndpointResponse {
        await .answering(else: "the recording cannot be read; see the host's log", body)
    }

    private func kept(_ request: EndpointRequest) async throws -> Bytes {
        var attempt: Int?
        if let text = request.query["attempt"] {
            attempt = Int(text)
            if attempt == nil {
                throw FunctionError.invalid("attempt", "integer", "`attempt` must be a number")
            }
        }
        return try await store.bytes(of: request.parameters["id"] ?? "", attempt: attempt)
    }

    private func replay(_ file: Bytes, _ request: EndpointRequest) async throws -> EndpointResponse {
        let recording = try Recording(file)
        guard let times = Int(request.query["times"] ?? "1"), (1...RecordingsAPI.timesMax).contains(times)
        else {
            let range = "from 1 to \(RecordingsAPI.timesMax)"
            throw FunctionError.invalid("times", "range", "`times` must be a whole number \(range)")
        }
        guard host.manifests[recording.function] != nil else {
            throw FunctionError.notFound(
                "the recording is of \(recording.function), and this host has no such function"
            )
        }
        if let why = recording.incomplete {
            let message = "it cannot be run again as it was: \(why)"
            throw FunctionError(status: 409, code: "recording_incomplete", message: message, retry: .never)
        }
        var runs: [JSON] = []
        var same = 0
        for _ in 0..<times {
            let (run, isSame) = await self.run(recording)
            runs.append(run)
            if isSame { same += 1 }
        }
        return .json([
            "id": .string(recording.id), "function": .string(recording.function),
            "same_bundle": .bool(recording.bundle == host.live.current.bundle.hash),
            "times": .integer(Int64(times)), "same": .integer(Int64(same)), "runs": .array(runs),
        ])
    }

    /// Runs it once, in a worker like any other, and says what was different.
    private func run(_ recording: Recording) async -> (JSON, isSame: Bool) {
        let (scrubber, loop) = (store.scrubber, host.loop)
        let script = ReplayScript(recording, scrubber: scrubber) { wait in
            try? await loop.scheduleTask(in: .nanoseconds(wait.nanoseconds)) {}.futureResult.get()
        }
        var invocation = Invocation(
            function: recording.function,
            event: recording.event.event(joining: BatchPayload.body),
            attempt: recording.attempt,
            depth: recording.depth,
            trace: recording.traceContext.child(),
            // It may be of another host, or long ago.
            parent: ParentSpan(recording.traceContext, isRemote: true),
            principal: recording.principal,
            fencingToken: recording.fencingToken,
            timeout: .nanoseconds(recording.remaining),
            trigger: "replay"
        )
        invocation.trial = Trial(replay: script)
        let begin = Monotonic.now
        let reply = await host.dispatcher.collect(invocation, on: host.loop, limit: 64 << 20)
        var answer: JSONObject = [
            "invocation": .string(invocation.id), "outcome": .string(reply.outcome.label),
            "duration_ms": .number(((.now - begin).milliseconds * 1000).rounded() / 1000),
        ]
        var differences = ["it was not run: \(reply.outcome.error?.message ?? reply.outcome.label)"]
        if let run = script.run {
            let run = scrubber.clean(run)
            differences = recording.differences(to: run, calls: script.player.divergences)
            answer["calls"] = .integer(Int64(run.tape.count { $0.kind == .began }))
        }
        answer["status"] = .integer(Int64(reply.outcome.error?.status ?? reply.status))
        answer["reply"] = .string(reply.body.text)
        answer["same"] = .bool(differences.isEmpty)
        answer["differences"] = .array(differences.map { .string($0) })
        return (.object(answer), differences.isEmpty)
    }
}
