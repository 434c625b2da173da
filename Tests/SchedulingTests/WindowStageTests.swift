import FunctionCore
import Scheduling
import Testing

/// A rotation as the README shows it, with all that a window can have.
@Suite("Stages of a window", .timeLimit(.minutes(1)))
struct WindowStageTests {
    private func rotation() throws -> WindowRotation {
        let plan = try Market.fullRotation()
        var rotation = WindowRotation(plan: plan)
        _ = rotation.react(to: .restored(RotationState(), at: at("2026-11-27T13:00:00Z")))
        return rotation
    }

    private func tick(_ rotation: inout WindowRotation, _ time: String) -> [WindowRotation.Action] {
        rotation.react(to: .tick(now: at(time))).filter { if case .persist = $0 { false } else { true } }
    }

    @Test("a half day goes from arming to the hand-over, with the close of that day")
    func halfDay() throws {
        var rotation = try rotation()
        _ = tick(&rotation, "2026-11-27T14:00:00Z")
        #expect(rotation.nextWake(after: at("2026-11-27T14:05:00Z")) == at("2026-11-27T14:25:00Z"))
        #expect(
            tick(&rotation, "2026-11-27T14:25:00Z")
                == [.warm(window: "trading", opens: at("2026-11-27T14:30:00Z"))]
        )
        #expect(rotation.stage(of: "trading") == .arming)
        #expect(tick(&rotation, "2026-11-27T14:29:00Z") == [], "it is warmed once")
        let stop = at("2026-11-27T17:59:45Z")
        let grant = tick(&rotation, "2026-11-27T14:30:00Z")
        guard case .grant("trading", let token, stop) = grant.first else {
            Issue.record("\(grant)")
            return
        }
        #expect(rotation.stage(of: "trading") == .open)
        #expect(
            tick(&rotation, "2026-11-27T17:58:00Z")
                == [.cutOff(window: "trading", token: token, until: stop)]
        )
        #expect(rotation.stage(of: "trading") == .cutoff)
        #expect(rotation.nextWake(after: at("2026-11-27T17:58:00Z")) == at("2026-11-27T17:59:25Z"))
        #expect(
            tick(&rotation, "2026-11-27T17:59:25Z") == [.cancel(window: "trading", token: token)],
            "what still runs leaves time for the checkpoint"
        )
        let drained = WindowRotation.Fact.drained(
            window: "trading",
            token: token,
            at: at("2026-11-27T17:59:30Z")
        )
        #expect(
            rotation.react(to: drained).last
                == .checkpoint(window: "trading", token: token, deadline: stop)
        )
        #expect(rotation.stage(of: "trading") == .handover)
        #expect(rotation.isValid(token: token, at: at("2026-11-27T17:59:40Z")), "the checkpoint may write")
        let checkpointed = WindowRotation.Fact.checkpointed(
            window: "trading",
            token: token,
            text: #"{"positions": {"ACME": 10}, "note": "a|b"}"#,
            at: at("2026-11-27T17:59:35Z")
        )
        let end = rotation.react(to: checkpointed)
        guard case .revoke("trading", token)? = end.first, case .persist(let state, let event)? = end.last
        else {
            Issue.record("\(end)")
            return
        }
        #expect(event.kind == .ended && event.reason == .released)
        #expect(RotationState(text: state.text) == state, "what it left survives its text")
        #expect(state.handover?.window == "trading")
        #expect(state.handover?.text.contains("ACME") == true)
        #expect(tick(&rotation, "2026-11-27T18:00:00Z") == [])
        #expect(tick(&rotation, "2026-11-27T18:15:00Z").count == 1)
        #expect(rotation.stage(of: "learning") == .open)
    }

    @Test("a checkpoint that does not end by the hard stop is fenced, and leaves nothing")
    func slowCheckpoint() throws {
        var rotation = try rotation()
        _ = tick(&rotation, "2026-11-27T14:30:00Z")
        _ = tick(&rotation, "2026-11-27T17:58:00Z")
        let token = try #require(rotation.currentToken(of: "trading"))
        _ = rotation.react(to: .drained(window: "trading", token: token, at: at("2026-11-27T17:58:01Z")))
        #expect(
            tick(&rotation, "2026-11-27T17:59:44Z") == [],
            "a checkpoint is not cancelled before its time"
        )
        #expect(
            tick(&rotation, "2026-11-27T17:59:45Z") == [.revoke(window: "trading", token: token)]
        )
        let late = WindowRotation.Fact.checkpointed(
            window: "trading",
            token: token,
            text: "{}",
            at: at("2026-11-27T17:59:46Z")
        )
        #expect(rotation.react(to: late) == [])
        #expect(rotation.state.handover == nil)
    }

    @Test("what a host left in its hand-over is fenced by the next one, and its window stays over")
    func crashInHandover() throws {
        var before = try rotation()
        _ = tick(&before, "2026-11-27T14:30:00Z")
        _ = tick(&before, "2026-11-27T17:58:00Z")
        let token = try #require(before.currentToken(of: "trading"))
        _ = before.react(to: .drained(window: "trading", token: token, at: at("2026-11-27T17:58:01Z")))
        var after = WindowRotation(plan: before.plan)
        let restored = after.react(to: .restored(before.state, at: at("2026-11-27T17:58:05Z")))
        #expect(restored.first == .revoke(window: "trading", token: token))
        #expect(tick(&after, "2026-11-27T17:58:06Z") == [])
        #expect(after.stage(of: "trading") == .closed)
    }

    @Test("a window that a restart interrupts goes on, and that is no alarm; one that nobody opened is")
    func alarms() throws {
        var rotation = try rotation()
        _ = tick(&rotation, "2026-11-27T14:30:00Z")
        var restarted = WindowRotation(plan: rotation.plan)
        _ = restarted.react(to: .restored(rotation.state, at: at("2026-11-27T16:00:00Z")))
        #expect(tick(&restarted, "2026-11-27T16:00:00Z").count == 1)
        var late = WindowRotation(plan: rotation.plan)
        _ = late.react(to: .restored(restarted.state, at: at("2026-11-30T16:00:00Z")))
        #expect(
            tick(&late, "2026-11-30T16:00:00Z").last
                == .late(window: "trading", opens: at("2026-11-30T14:30:00Z"))
        )
    }
}
