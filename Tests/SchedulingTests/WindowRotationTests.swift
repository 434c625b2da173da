import FunctionCore
import Scheduling
import Testing

@Suite("WindowRotation", .timeLimit(.minutes(1)))
struct WindowRotationTests {
    private typealias Action = WindowRotation.Action

    /// When a fact that is no tick came in, where no rule looks at it.
    private let then = at("2026-11-20T20:55:30Z")

    /// A rotation that has just begun, with its first facts taken in.
    private func started(_ times: String..., drainLimit: Duration = .seconds(120)) throws -> WindowRotation {
        var rotation = WindowRotation(plan: try Market.rotation(drainLimit: drainLimit))
        _ = rotation.react(to: .restored(RotationState(), at: then))
        for time in times { _ = rotation.react(to: .tick(now: at(time))) }
        return rotation
    }

    /// The actions but for the states to persist, which the random test looks into.
    private func visible(_ actions: [Action]) -> [Action] {
        actions.filter { if case .persist = $0 { false } else { true } }
    }

    @Test("a day passes from trading to learning, each under its own token")
    func oneDay() throws {
        var rotation = try started("2026-11-20T14:29:59Z")
        #expect(rotation.stage(of: "trading") == .closed)
        #expect(
            visible(rotation.react(to: .tick(now: at("2026-11-20T14:30:00Z"))))
                == [.grant(window: "trading", token: 1, until: at("2026-11-20T20:57:00Z"))]
        )
        #expect(rotation.react(to: .tick(now: at("2026-11-20T18:00:00Z"))) == [])
        #expect(rotation.isValid(token: 1, at: at("2026-11-20T20:56:59Z")))
        #expect(
            visible(rotation.react(to: .tick(now: at("2026-11-20T20:55:00Z"))))
                == [.cutOff(window: "trading", token: 1, until: at("2026-11-20T20:57:00Z"))]
        )
        #expect(rotation.stage(of: "trading") == .draining && rotation.currentToken(of: "trading") == 1)
        #expect(
            visible(rotation.react(to: .drained(window: "trading", token: 1, at: then)))
                == [.revoke(window: "trading", token: 1)]
        )
        #expect(!rotation.isValid(token: 1, at: at("2026-11-20T20:55:01Z")))
        #expect(rotation.react(to: .tick(now: at("2026-11-20T21:14:59Z"))) == [])
        #expect(
            visible(rotation.react(to: .tick(now: at("2026-11-20T21:15:00Z"))))
                == [.grant(window: "learning", token: 2, until: at("2026-11-23T14:02:00Z"))]
        )
        #expect(rotation.currentToken(of: "learning") == 2 && rotation.currentToken(of: "trading") == nil)
    }

    @Test("a holder that never reports is fenced at its hard stop, and only then may the next one begin")
    func hardStop() throws {
        // Trading may drain for 2 h, far into learning's time.
        var rotation = try started(
            "2026-11-20T15:00:00Z",
            "2026-11-20T20:55:00Z",
            drainLimit: .seconds(7_200)
        )
        let late = Action.late(window: "learning", opens: at("2026-11-20T21:15:00Z"))
        #expect(visible(rotation.react(to: .tick(now: at("2026-11-20T21:30:00Z")))) == [late])
        #expect(rotation.react(to: .tick(now: at("2026-11-20T21:31:00Z"))) == [], "it is said once")
        #expect(rotation.stage(of: "learning") == .closed)
        #expect(rotation.nextWake(after: at("2026-11-20T22:30:00Z")) == at("2026-11-20T22:55:00Z"))
        #expect(!rotation.isValid(token: 1, at: at("2026-11-20T22:55:00Z")))
        let actions = visible(rotation.react(to: .tick(now: at("2026-11-20T22:55:00Z"))))
        #expect(
            actions == [
                .revoke(window: "trading", token: 1),
                .grant(window: "learning", token: 2, until: at("2026-11-23T16:00:00Z")),
            ]
        )
    }

    @Test("a tick that comes too late for draining fences at once")
    func lateTick() throws {
        var rotation = try started("2026-11-20T15:00:00Z")
        #expect(
            visible(rotation.react(to: .tick(now: at("2026-11-22T12:00:00Z")))) == [
                .revoke(window: "trading", token: 1),
                .grant(window: "learning", token: 2, until: at("2026-11-23T14:02:00Z")),
                .late(window: "learning", opens: at("2026-11-20T21:15:00Z")),
            ]
        )
    }

    @Test("every grant is persisted before it is made")
    func order() throws {
        var rotation = try started()
        let actions = rotation.react(to: .tick(now: at("2026-11-20T15:00:00Z")))
        #expect(actions.count == 2)
        guard case .persist(let state, _) = actions[0], case .grant(_, let token, _) = actions[1] else {
            Issue.record("a grant without its state: \(actions)")
            return
        }
        #expect(state.lastToken == token && state.holder?.token == token)
    }

    @Test("after a restart the old token is fenced and the span goes on under a greater one")
    func restart() throws {
        let before = try started("2026-11-20T15:00:00Z")
        let state = try #require(RotationState(text: before.state.text))
        var rotation = WindowRotation(plan: try Market.rotation())
        #expect(
            rotation.react(to: .tick(now: at("2026-11-20T15:01:00Z"))) == [],
            "nothing before the state is read"
        )
        #expect(
            visible(rotation.react(to: .restored(state, at: then))) == [.revoke(window: "trading", token: 1)]
        )
        #expect(!rotation.isValid(token: 1, at: at("2026-11-20T15:01:00Z")))
        #expect(
            visible(rotation.react(to: .tick(now: at("2026-11-20T15:01:00Z"))))
                == [.grant(window: "trading", token: 2, until: at("2026-11-20T20:57:00Z"))]
        )
    }

    @Test("a lost holder is fenced and replaced, and reports about other tokens are ignored")
    func lostHolder() throws {
        var rotation = try started("2026-11-20T15:00:00Z")
        #expect(rotation.react(to: .holderLost(token: 9, at: then)) == [])
        #expect(
            rotation.react(to: .drained(window: "trading", token: 1, at: then)) == [],
            "it is not draining"
        )
        #expect(
            visible(rotation.react(to: .holderLost(token: 1, at: then))) == [
                .revoke(window: "trading", token: 1)
            ]
        )
        #expect(
            visible(rotation.react(to: .tick(now: at("2026-11-20T15:00:01Z"))))
                == [.grant(window: "trading", token: 2, until: at("2026-11-20T20:57:00Z"))]
        )
        _ = rotation.react(to: .tick(now: at("2026-11-20T20:55:00Z")))
        #expect(rotation.react(to: .drained(window: "trading", token: 1, at: then)) == [])
        #expect(rotation.react(to: .drained(window: "learning", token: 2, at: then)) == [])
    }

    @Test("a clock that steps back over a close does not open the window again")
    func backwardsOverClose() throws {
        var rotation = try started("2026-11-20T15:00:00Z", "2026-11-20T20:55:00Z")
        _ = rotation.react(to: .drained(window: "trading", token: 1, at: then))
        #expect(rotation.react(to: .tick(now: at("2026-11-20T20:50:00Z"))) == [])
        #expect(rotation.stage(of: "trading") == .closed)
        let monday = visible(rotation.react(to: .tick(now: at("2026-11-23T14:30:00Z"))))
        #expect(monday == [.grant(window: "trading", token: 2, until: at("2026-11-23T20:57:00Z"))])
    }

    @Test(
        "a clock that steps back before the opening drains the window, which opens again in time"
    )
    func backwardsOverOpen() throws {
        var rotation = try started("2026-11-20T14:30:00Z")
        #expect(
            visible(rotation.react(to: .tick(now: at("2026-11-20T14:29:00Z"))))
                == [.cutOff(window: "trading", token: 1, until: at("2026-11-20T14:31:00Z"))]
        )
        #expect(
            visible(rotation.react(to: .tick(now: at("2026-11-20T14:31:00Z")))) == [
                .revoke(window: "trading", token: 1),
                .grant(window: "trading", token: 2, until: at("2026-11-20T20:57:00Z")),
            ]
        )
    }

    @Test("an exchange that closes without warning drains the open window at once")
    func replanned() throws {
        var rotation = try started("2026-11-20T15:00:00Z")
        let rules = try XNYSReference.rules(years: 2025...2028)
        let closed = CalendarRules(
            name: rules.name,
            zone: rules.zone,
            open: rules.open,
            close: rules.close,
            holidays: rules.holidays + [.init(date: try #require(CivilDate(2026, 11, 20)), name: "Mourning")],
            earlyCloses: rules.earlyCloses,
            years: rules.years
        )
        let plan = try RotationPlan(
            id: "market",
            calendar: MarketCalendar(rules: closed, zone: .load(rules.zone)),
            windows: rotation.plan.windows
        )
        _ = rotation.react(to: .replanned(plan))
        #expect(
            visible(rotation.react(to: .tick(now: at("2026-11-20T15:00:05Z"))))
                == [.cutOff(window: "trading", token: 1, until: at("2026-11-20T15:02:05Z"))]
        )
        _ = rotation.react(to: .drained(window: "trading", token: 1, at: then))
        #expect(
            visible(rotation.react(to: .tick(now: at("2026-11-20T15:00:06Z"))))
                == [.grant(window: "learning", token: 2, until: at("2026-11-23T14:02:00Z"))]
        )
    }

    @Test("beyond the calendar's years everything closes, and it is said once")
    func expiry() throws {
        var rotation = try started("2028-12-29T15:00:00Z")
        let late = visible(rotation.react(to: .tick(now: at("2028-12-30T15:00:00Z"))))
        guard late.count == 2, case .planExpired(let error) = late[0] else {
            Issue.record("\(late)")
            return
        }
        #expect(error.code == .calendarExpired)
        #expect(late[1] == .revoke(window: "trading", token: 1))
        #expect(rotation.react(to: .tick(now: at("2028-12-30T15:00:30Z"))) == [])
    }

    @Test("the state survives its text, and a text that is none is refused")
    func stateText() throws {
        var rotation = try started("2026-11-20T15:00:00Z", "2026-11-20T20:55:00Z")
        #expect(RotationState(text: rotation.state.text) == rotation.state)
        _ = rotation.react(to: .drained(window: "trading", token: 1, at: then))
        #expect(RotationState(text: rotation.state.text) == rotation.state)
        #expect(RotationState(text: RotationState().text) == RotationState())
        for text in [
            "", "2|2", "1|0|||||", "2|x|||||", "2|0|trading,1,open,,0,0,0,0,0,0||||",
            "2|1|trading,1,ajar,,0,0,0,0,0,0||||", "2|1|trading,1,open,,0,0,0,0,0||||", "2|1||a|||",
        ] {
            #expect(RotationState(text: text) == nil)
        }
    }
}
