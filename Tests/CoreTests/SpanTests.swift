import FunctionCore
import Testing

@Suite("Numbers of spans", .timeLimit(.minutes(1)))
struct SpanTests {
    @Test("an id is the same as a number and as text, and what is no id is 0")
    func texts() {
        let context = TraceContext(traceID: String(repeating: "a", count: 32), spanID: "00f067aa0ba902b7")
        #expect(context.span == 0x00F0_67AA_0BA9_02B7)
        #expect(SpanID.text(context.span) == context.spanID)
        #expect(context.at(7).spanID == "0000000000000007" && context.at(7).traceID == context.traceID)
        #expect(TraceContext(traceID: "", spanID: "no id").span == 0)
        for _ in 0..<1000 {
            let context = TraceContext.begin()
            #expect(SpanID.text(context.span) == context.spanID)
        }
    }

    @Test("the parts of many attempts have ids of their own, which are the same whenever they are reckoned")
    func derived() {
        var seen: Set<UInt64> = []
        for attempt in 1...1000 as ClosedRange<UInt64> {
            let parts = [SpanID.queue(of: attempt), SpanID.start(of: attempt), SpanID.run(of: attempt)]
            let calls = (1...32).map { SpanID.call($0, of: attempt) }
            for id in [attempt] + parts + calls + [SpanID.derived(from: attempt, "event")] {
                #expect(id != 0 && seen.insert(id).inserted)
            }
            #expect(SpanID.derived(from: attempt, "event") == SpanID.derived(from: attempt, "event"))
        }
    }
}
