import FunctionCore
import Scheduling
import Seeds
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
        var audit = RotationAudit(gap: .seconds(60))
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
            perform(rotation.react(to: .restored(state, at: now)), upTo: .max)
        }

        /// Performs actions in their order; stops before the given one, as a host does that is killed.
        mutating func perform(_ actions: [WindowRotation.Action], upTo end: Int) {
            for action in actions.prefix(end) {
                switch action {
                case .persist(let state, let event):
                    durable = state.text
                    audit.take(event)
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
                case .extend(_, let token, _), .cancel(_, let token): #expect(held == token)
                case .cutOff(_, let token, let until):
                    #expect(held == token)
                    #expect(until > now && until <= now + limit)
                case .checkpoint(_, let token, let deadline):
                    #expect(held == token)
                    #expect(deadline > now)
                case .warm(_, let opens): #expect(opens > now)
                case .late(_, let opens): #expect(now - opens > rotation.plan.gap)
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
                #expect(holder.stage == .open || holder.hardStop <= now + limit, "draining is bounded")
            }
            guard let span = try? rotation.plan.span(at: now) else {
                #expect(holder == nil || holder.map { $0.stage != .open } == true)
                return
            }
            let isOver = rotation.state.ended[span.window] == span.opens
            let isOpen =
                holder?.window == span.window && holder?.opens == span.opens && holder?.stage == .open
            #expect(isOpen || isOver || holder.map { $0.stage != .open } == true, "\(span) should be open")
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
        var random = SeededRandom(UInt64(seed))
        let limit = Duration.seconds([0, 120, 3_600, 6 * 3_600][seed - 1])
        var world = World(plans: try plans(Market.rotation(drainLimit: limit)), limit: limit)
        world.restart()
        for _ in 0..<3_000 { step(&world, &random) }
        #expect(world.audit.findings == [])
        #expect(world.grants > 100, "the sequence must exercise the rotation: \(world.grants) grants")
    }

    @Test("that holds over ten thousand seeds, with crashes between any two steps")
    func seeds() throws {
        let plans = try plans(Market.fullRotation())
        var (grants, handovers) = (0, 0)
        for seed in 1...10_000 {
            var random = SeededRandom(UInt64(seed))
            var world = World(plans: plans, limit: .seconds(120))
            world.now =
                at("2026-01-01T00:00:00Z") + .seconds(Int64.random(in: 0...31_000_000, using: &random))
            world.restart()
            for _ in 0..<20 { step(&world, &random) }
            #expect(world.audit.findings == [], "seed \(seed)")
            grants += world.grants
            handovers += world.rotation.state.handover == nil ? 0 : 1
        }
        #expect(grants > 20_000 && handovers > 100, "\(grants) grants, \(handovers) hand-overs")
    }

    /// One fact, the crash that may come amid what follows from it, and mostly a tick.
    private func step(_ world: inout World, _ random: inout SeededRandom) {
        let actions = world.rotation.react(to: fact(&world, &random))
        let isKilled = Int.random(in: 0..<20, using: &random) == 0
        let end = isKilled ? Int.random(in: 0...actions.count, using: &random) : .max
        world.perform(actions, upTo: end)
        if isKilled || Int.random(in: 0..<40, using: &random) == 0 { world.restart() }
        world.checkAlways(&random)
        if Bool.random(using: &random) {
            world.perform(world.rotation.react(to: .tick(now: world.now)), upTo: .max)
            world.checkAfterTick()
        }
    }

    /// Moves the clock or tells of a holder.
    private func fact(_ world: inout World, _ random: inout SeededRandom) -> WindowRotation.Fact {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: world.now = world.now + .seconds(Int64.random(in: 0...7_200, using: &random))
        // As a host does that is on time.
        case 30..<60: world.now = world.rotation.nextWake(after: world.now) ?? world.now
        case 60..<63: world.now = world.now + .seconds(Int64.random(in: 0...400_000, using: &random))
        case 63..<70: world.now = world.now - .seconds(Int64.random(in: 0...10_800, using: &random))
        case 70: world.now = world.now - .seconds(Int64.random(in: 0...1_000_000, using: &random))
        case 71..<86:
            let holder = world.rotation.state.holder
            let (window, token) = (holder?.window ?? "trading", holder?.token ?? 1)
            return Bool.random(using: &random)
                ? .drained(window: window, token: token, at: world.now)
                : .checkpointed(window: window, token: token, text: "a|b", at: world.now)
        case 86..<90:
            let stale = world.issued.suffix(5).randomElement(using: &random) ?? 1
            return .drained(window: "trading", token: stale, at: world.now)
        case 90..<94:
            let token = world.issued.suffix(3).randomElement(using: &random) ?? 1
            return .holderLost(token: token, at: world.now)
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
    private func plans(_ base: RotationPlan) throws -> [RotationPlan] {
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
