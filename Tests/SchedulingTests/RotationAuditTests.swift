import FunctionCore
import Scheduling
import Testing

@Suite("RotationAudit", .timeLimit(.minutes(1)))
struct RotationAuditTests {
    private func event(
        _ kind: RotationEvent.Kind,
        _ window: String,
        _ token: UInt64,
        _ seconds: Int64,
        until stop: Int64 = 1_000,
        _ reason: RotationEvent.Reason? = nil
    ) -> RotationEvent {
        RotationEvent(
            kind,
            window: window,
            token: token,
            at: Instant(seconds: seconds),
            opens: Instant(seconds: min(seconds, 100)),
            hardStop: Instant(seconds: stop),
            reason: reason
        )
    }

    private func findings(_ events: [RotationEvent]) -> [String] {
        var audit = RotationAudit(gap: .seconds(60))
        for event in events { audit.take(event) }
        return audit.findings
    }

    @Test("turns that follow the rules have no finding")
    func sound() {
        let events = [
            event(.granted, "a", 1, 100), event(.cutOff, "a", 1, 150), event(.ended, "a", 1, 160),
            event(.granted, "b", 2, 160), event(.ended, "b", 2, 170), event(.granted, "a", 5, 2_000, .late),
        ]
        #expect(findings(events) == [])
    }

    @Test("two windows at once, a token that falls, an unexplained gap and an end of nothing are found")
    func unsound() {
        let twice = findings([event(.granted, "a", 1, 100), event(.granted, "b", 2, 120)])
        #expect(twice.count == 1 && twice[0].contains("while a's token 1 was valid"))
        let falling = findings([
            event(.granted, "a", 3, 100), event(.ended, "a", 3, 110), event(.granted, "b", 2, 120),
        ])
        #expect(falling.count == 1 && falling[0].contains("after 3"))
        #expect(findings([event(.granted, "a", 1, 500)]).count == 1)
        #expect(findings([event(.ended, "a", 1, 100)]).count == 1)
        #expect(findings([event(.granted, "a", 1, 100), event(.cutOff, "a", 2, 110)]).count == 1)
    }
}
