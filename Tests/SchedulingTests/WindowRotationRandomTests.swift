import FunctionCore
import Scheduling
import Testing

/// Random facts in random order against what must always hold.
@Suite("WindowRotation under random facts", .timeLimit(.minutes(1)))
struct WindowRotationRandomTests {
    /// The world about a rotation: the durable state, the clock, and all tokens ever seen.
    private struct World {
        var rotation: WindowRotation
        var durable = RotationState().text
        var now = at("2026-11-20T12:00:00Z")
        var issued: [UInt64] = []
        var revoked: Set<UInt64> = []
        var held: UInt64?
        /// As last persisted: for each window the span that must not open again.
        var ended: [String: Instant] = [:]
        var grants = 0
        let limit: Duration
        let plans: [RotationPlan]

        init(plans: [RotationPlan], limit: Duration) {
            self.plans = plans
            self.limit = limit
            rotation = WindowRotation(plan: plans[0])
        }

        /// Reads the durable state as a host does that starts; what ran before is gone.
        mutating func restart() {
            held.map { _ = revoked.insert($0) }
            held = nil
            rotation = WindowRotation(plan: rotation.plan)
            #expect(rotation.react(to: .tick(now: now)) == [])
            guard let state = RotationState(text: durable) else {
                Issue.record("the state cannot be read: \(durable)")
                return
            }
            perform(rotation.react(to: .restored(state)), upTo: .max)
        }

        /// Performs actions in their order; stops before the given one, as a host does that is killed.
        mutating func perform(_ actions: [WindowRotation.Action], upTo end: Int) {
            for action in actions.prefix(end) {
                switch action {
                case .persist(let state):
                    durable = state.text
                    ended = state.ended
                case .grant(let window, let token, let until):
                    #expect(token > issued.last ?? 0, "tokens increase")
                    #expect(held == nil, "\(token) is granted while \(held ?? 0) is held")
                    #expect(until > now)
                    let span = try? rotation.plan.span(at: now)
                    #expect(span?.window == window)
                    #expect(span.map { ended[window] != $0.opens } == true, "an ended span opens again")
                    held = token
                    issued.append(token)
                    grants += 1
                case .startDraining(_, let token, let until):
                    #expect(held == token)
                    #expect(until > now && until <= now + limit)
                case .revoke(_, let token):
                    revoked.insert(token)
                    if held == token { held = nil }
                case .planExpired:
                    #expect((try? rotation.plan.span(at: now)) == nil)
                }
            }
        }

        func checkAfterTick() {
            let holder = rotation.state.holder
            if let holder {
                #expect(now < holder.hardStop)
                #expect(!holder.isDraining || holder.hardStop <= now + limit, "draining is bounded")
            }
            guard let span = try? rotation.plan.span(at: now) else {
                #expect(holder == nil || holder?.isDraining == true)
                return
            }
            let isOver = rotation.state.ended[span.window] == span.opens
            let isOpen =
                holder?.window == span.window && holder?.opens == span.opens && holder?.isDraining == false
            #expect(isOpen || isOver || holder?.isDraining == true, "\(span) should be open")
        }

        func checkAlways(_ random: inout SeededRandom) {
            let elsewhere = now + .seconds(Int64.random(in: -90_000...90_000, using: &random))
            for instant in [now, elsewhere] {
                let valid = issued.suffix(60).filter { rotation.isValid(token: $0, at: instant) }
                #expect(valid.count <= 1, "two tokens are valid: \(valid)")
                #expect(valid.allSatisfy { !revoked.contains($0) }, "a revoked token is valid")
            }
        }
    }

    @Test("never two windows hold a valid token, whatever the clock and the holders do", arguments: 1...4)
    func invariants(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let limit = Duration.seconds([0, 120, 3_600, 6 * 3_600][seed - 1])
        var world = World(plans: try plans(limit), limit: limit)
        world.restart()
        for _ in 0..<10_000 {
            let actions = world.rotation.react(to: fact(&world, &random))
            let isKilled = Int.random(in: 0..<50, using: &random) == 0
            let end = isKilled ? Int.random(in: 0...actions.count, using: &random) : .max
            world.perform(actions, upTo: end)
            if isKilled || Int.random(in: 0..<40, using: &random) == 0 { world.restart() }
            world.checkAlways(&random)
            if Bool.random(using: &random) {
                world.perform(world.rotation.react(to: .tick(now: world.now)), upTo: .max)
                world.checkAfterTick()
            }
        }
        #expect(world.grants > 300, "the sequence must exercise the rotation: \(world.grants) grants")
    }

    /// Moves the clock or tells of a holder.
    private func fact(_ world: inout World, _ random: inout SeededRandom) -> WindowRotation.Fact {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<60: world.now = world.now + .seconds(Int64.random(in: 0...7_200, using: &random))
        case 60..<63: world.now = world.now + .seconds(Int64.random(in: 0...400_000, using: &random))
        case 63..<70: world.now = world.now - .seconds(Int64.random(in: 0...10_800, using: &random))
        case 70: world.now = world.now - .seconds(Int64.random(in: 0...1_000_000, using: &random))
        case 71..<86:
            let holder = world.rotation.state.holder
            return .drained(window: holder?.window ?? "trading", token: holder?.token ?? 1)
        case 86..<90:
            let stale = world.issued.suffix(5).randomElement(using: &random) ?? 1
            return .drained(window: "trading", token: stale)
        case 90..<94:
            return .holderLost(token: world.issued.suffix(3).randomElement(using: &random) ?? 1)
        case 94..<96:
            return .replanned(world.plans.randomElement(using: &random) ?? world.plans[0])
        default: break
        }
        // Beyond the end of the calendar, now and then, and back to its middle.
        if world.now > at("2029-03-01T00:00:00Z") || world.now < at("2024-12-01T00:00:00Z") {
            world.now = at("2026-01-05T12:00:00Z")
        }
        return .tick(now: world.now)
    }

    /// The real plan, and some in which the exchange closes on other days or earlier.
    private func plans(_ limit: Duration) throws -> [RotationPlan] {
        let base = try Market.rotation(drainLimit: limit)
        let rules = try XNYSReference.rules(years: 2025...2028)
        let corrected = try [3, 7].map { stride in
            let taken = Set(rules.holidays.map(\.date) + rules.earlyCloses.map(\.date))
            let days = try Market.xnys().sessions.map(\.date).filter {
                !taken.contains($0) && $0.day % stride == 0
            }
            let close = try #require(TimeOfDay(13, 0))
            let changed = CalendarRules(
                name: rules.name,
                zone: rules.zone,
                open: rules.open,
                close: rules.close,
                holidays: rules.holidays + (stride == 7 ? days.map { .init(date: $0, name: "extra") } : []),
                earlyCloses: rules.earlyCloses
                    + (stride == 3 ? days.map { .init(date: $0, close: close, name: "extra") } : []),
                years: rules.years
            )
            return try RotationPlan(
                id: "market",
                calendar: MarketCalendar(rules: changed, zone: .load(rules.zone)),
                windows: base.windows
            )
        }
        return [base] + corrected
    }
}
