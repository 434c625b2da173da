import FunctionCore
import Journal
import Storage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct OutboxTests {
    private let workspace = Workspace()

    @Test("an emitted event waits in order until it is relayed, and its id is known after that")
    func emit() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let service = EmitService(journal.outbox, clock: StoppedClock())
        var wakes = journal.outbox.appended.wakes().makeAsyncIterator()
        for id in ["e1", "e2", "e1", nil] {
            let event = OutgoingEvent(type: "video.made", data: ["user": 7], id: id)
            let answer = RecordedAnswer()
            try await service.call(call("emit", event), answer: answer)
            #expect(answer.value == "{}")
        }
        #expect(await wakes.next() != nil)
        let waiting = try await journal.outbox.pending(limit: 10)
        #expect(waiting.count == 3)
        #expect(
            waiting.first
                == OutboxEvent(
                    id: "e1",
                    type: "video.made",
                    source: "video",
                    time: at(0),
                    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                    data: #"{"user":7}"#
                )
        )
        try await journal.outbox.markRelayed(["e1", "e2"], now: at(1))
        #expect(try await journal.outbox.pendingCount() == 1)
        #expect(try await journal.outbox.append(waiting[0]) == false)
        #expect(try await journal.outbox.pendingCount() == 1)
        try await journal.outbox.prune(relayedBefore: at(2))
        #expect(try await journal.outbox.append(waiting[0]))
        await journal.close()
    }

    @Test("an event with a bad type is refused with the field, the rule and the remedy")
    func faults() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        let service = EmitService(journal.outbox, clock: StoppedClock())
        let bad = try call("emit", OutgoingEvent(type: "two words", data: nil, id: ""))
        let error = await #expect(throws: FunctionError.self) {
            try await service.call(bad, answer: RecordedAnswer())
        }
        #expect(error?.status == 422)
        #expect(error?.faults.map(\.path) == ["type", "id"])
        let unknown = try call("shout", OutgoingEvent(type: "a", data: nil))
        let other = await #expect(throws: FunctionError.self) {
            try await service.call(unknown, answer: RecordedAnswer())
        }
        #expect(other?.code == "unknown_method")
        await journal.close()
    }

    @Test("progress goes to the invocation's job, and nowhere for an invocation without one")
    func progress() async throws {
        let journal = try await HostJournal.open(directory: workspace.path)
        try await journal.jobs.accept(job(id: "j"), now: at(0))
        _ = try await journal.jobs.claim(limit: 1, capacity: ["video": 1], now: at(0))
        let service = ProgressService(journal.jobs, clock: StoppedClock())
        let report = ProgressReport(stage: "frames", percent: 30)
        try await service.call(call("set", report, invocation: "j"), answer: RecordedAnswer())
        try await service.call(call("set", report, invocation: "nobody"), answer: RecordedAnswer())
        #expect(try await journal.jobs.job("j")?.percent == 30)
        #expect(try await journal.jobs.job("j")?.stage == "frames")
        await journal.close()
    }
}
