import FunctionCore
import Recordings

/// What came of a recorded invocation that was run again.
public struct TestReplay: Sendable {
    /// The reply, as far as it came; nil where the function failed before.
    public var reply: TestReply?
    /// What it failed with.
    public var error: FunctionError?
    /// Each difference to the recording in a sentence: which call, reply or error, and where in it.
    ///
    /// Empty where all was as recorded.
    public var differences: [String]
}

extension FunctionTest {
    /// Runs a recorded invocation again: event, clock, random numbers and the answers to its calls are those of the
    /// recording, nothing of the world is used.
    ///
    /// A call that was not made then fails with `replay_diverged`; one that is not made any more is told after 2 s. What
    /// the function takes from elsewhere (`Date()`, `UUID()`, the system's random numbers) is new, and told where it
    /// shows. Values of the environment are the test's; those whose names end in KEY, SECRET, TOKEN or PASSWORD are
    /// compared as `[redacted]`, and so is what `redacting` names, which is the host's `record.redact`.
    /// `timeout` is by default what the invocation had. Cancellation: cancels the handler's task. A crash that was
    /// recorded and comes again ends the test's process.
    /// The reply to a batch is a list of its results.
    /// - Throws: 409 `recording_incomplete`; 422 for a recording of another function.
    public func replay(
        _ recorded: RecordedInvocation,
        redacting: [String] = [],
        timeout: Duration? = nil
    ) async throws(FunctionError) -> TestReplay {
        let recording = recorded.recording
        try check(recording)
        let time = timeout ?? .nanoseconds(recording.remaining)
        let scrubber = self.scrubber(redacting)
        let player = TapePlayer(recording.tape, scrub: { scrubber.clean($0) }) {
            try? await Task.sleep(for: $0)
        }
        let tape = Tape(since: .now)
        var (reply, failure): (TestReply?, FunctionError?)
        do throws(FunctionError) {
            reply = try await race(recording.id, time) { race in
                let context = self.context(of: recording, player, tape, time, race)
                guard recording.event.events != nil else {
                    return try await self.run(recorded.event, context)
                }
                return TestReply(try await self.run(batch: recorded.events, context))
            }
            failure = reply?.error
        } catch {
            failure = error
        }
        player.end()
        if let reply {
            tape.replied(reply.status, reply.headers)
            tape.replied(reply.body.array)
        }
        var run = recording
        run.bundle = ""
        run.outcome = RecordedOutcome(label: FunctionTest.label(reply, failure), error: failure)
        tape.write(to: &run)
        var differences = recording.differences(to: scrubber.clean(run), calls: player.divergences)
        let missing = recording.environment.filter { environment[$0] == nil }
        if !differences.isEmpty, !missing.isEmpty {
            let names = missing.joined(separator: ", ")
            differences.append(
                "its environment had \(names), which the test does not give: FunctionTest(environment:)"
            )
        }
        return TestReplay(reply: reply, error: failure, differences: differences)
    }

    private func check(_ recording: Recording) throws(FunctionError) {
        guard recording.function == name else {
            let message = "the recording is of \(recording.function), and this is a test of \(name)"
            throw .invalid("recording", "function", message)
        }
        if let why = recording.incomplete {
            throw .conflict("recording_incomplete", "it cannot be run again as it was: \(why)")
        }
    }

    private func run(batch events: [Event], _ context: Context) async throws -> Reply {
        guard case .batch(let handle) = handler else { throw FunctionTest.takesOne(name) }
        let results = try await handle(events, context)
        try FunctionTest.check(results, for: events.count)
        return Reply(body: RecordedBatch.body(of: results))
    }

    private func context(
        of recording: Recording,
        _ player: TapePlayer,
        _ tape: Tape,
        _ time: Duration,
        _ race: any Cancelling
    ) -> Context {
        let clock = RecordedClock(recording.clock)
        return Context(
            invocation: recording.id,
            function: name,
            attempt: recording.attempt,
            depth: recording.depth,
            trace: recording.traceContext,
            principal: recording.principal,
            fencingToken: recording.fencingToken,
            environment: environment.filter { recording.environment.contains($0.key) },
            log: logger,
            bindings: Bindings(RecordedCaller(player)),
            random: InvocationRandom(seed: recording.seedValue),
            deadline: Monotonic.now + time,
            clock: {
                let reading = clock.read()
                tape.read(reading)
                return reading
            },
            cancelled: { race.isCancelled }
        )
    }

    /// What the host has taken out of the recording is taken out of what the function does now.
    private func scrubber(_ names: [String]) -> Scrubber {
        let mark = Array(Scrubber.mark.utf8)
        let secrets = environment.filter { Scrubber.isSecret($0.key, names) && !$0.value.isEmpty }
            .map { Array($0.value.utf8) }.sorted { $0.count > $1.count }
        return Scrubber(names) { bytes in secrets.reduce(bytes) { $0.replacing($1, with: mark) } }
    }

    /// The outcome's word, as a host has it.
    private static func label(_ reply: TestReply?, _ failure: FunctionError?) -> String {
        switch failure?.code {
        case "timed_out"?: "timed_out"
        case "cancelled"?: "cancelled"
        case .some: "failed"
        case nil: (reply?.status ?? 200) < 500 ? "ok" : "error"
        }
    }
}
