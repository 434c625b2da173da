import FunctionCore
import Storage
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SignalTests {
    @Test("signals that come while a listener is busy wake it once")
    func coalescing() async {
        let signal = WakeSignal()
        var wakes = signal.wakes().makeAsyncIterator()
        signal.wake()
        signal.wake()
        signal.wake()
        #expect(await wakes.next() != nil)
        let second = signal.wakes()
        signal.wake()
        var others = second.makeAsyncIterator()
        #expect(await others.next() != nil)
        #expect(await wakes.next() != nil)
    }

    @Test("a lane runs calls one after the other and refuses more than its limit")
    func laneLimit() async throws {
        let lane = BlockingLane("test", limit: 2)
        #expect(try await lane.run { 7 } == 7)
        let none = BlockingLane("test", limit: 0)
        let error = await #expect(throws: StorageError.self) { try await none.run { 7 } }
        #expect(error?.code == .overloaded)
    }

    @Test(
        "a name is 1 to 128 plain characters",
        arguments: [
            ("a", nil), ("", "length"), ("a b", "characters"), ("ü", "characters"), ("a/b", "characters"),
        ]
    )
    func names(_ name: String, _ rule: String?) {
        #expect(NameRule.fault(name, at: "id")?.rule == rule)
        #expect(NameRule.fault(String(repeating: "x", count: 129), at: "id")?.rule == "length")
    }
}
