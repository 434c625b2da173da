import FunctionCore
import Scheduling
import Testing

/// Random ticks, ends, wishes, windows, clocks and deaths against what must always hold: the ledger is the
/// nominal set, each time once; nothing early, nothing twice, nothing lost.
@Suite("ScheduleMachine under random facts", .timeLimit(.minutes(10)))
struct ScheduleMachineRandomTests {
    /// One plan for each mixture of policies, with a few entries of different kinds each.
    private static let plans: [SchedulePlan] = {
        do {
            return try SchedulePolicy.Overlap.allCases.flatMap { overlap in
                try [SchedulePolicy.CatchUp.none, .latest, .all(max: 4)].map { try plan($0, overlap) }
            }
        } catch {
            preconditionFailure("the plans of this test are sound: \(error)")
        }
    }()

    private static func plan(
        _ catchUp: SchedulePolicy.CatchUp,
        _ overlap: SchedulePolicy.Overlap
    ) throws -> SchedulePlan {
        let rotation = try Market.rotation()
        let strict = SchedulePolicy(
            catchUp: catchUp,
            overlap: overlap,
            deadline: .seconds(900),
            pauseOnFailure: 3,
            remaining: 9
        )
        let free = SchedulePolicy(catchUp: catchUp, overlap: overlap)
        let limits = ScheduleLimits(
            exclusions: [.cron(try CronExpression("0-29 15 * * *"), zone: .utc)],
            jitter: .seconds(900)
        )
        let sessions = SessionSchedule(
            calendar: try Market.xnys(),
            time: .every(.seconds(600), from: SessionEdge(.open), until: SessionEdge(.close))
        )
        let bound = SchedulePolicy(catchUp: catchUp, overlap: overlap, isBoundToWindow: true)
        let window = ScheduleEntry.Kind.window(rotation: "market", window: "trading", every: .seconds(900))
        let cron = ScheduleEntry.Kind.cron(
            try CronExpression("*/20 * * * *"),
            zone: try .load("America/New_York")
        )
        return try SchedulePlan(
            entries: [
                ScheduleEntry(
                    id: "every",
                    function: "f",
                    kind: .every(EverySchedule(interval: .seconds(300))),
                    policy: strict
                ),
                ScheduleEntry(id: "cron", function: "f", kind: cron, limits: limits, policy: free),
                ScheduleEntry(id: "session", function: "f", kind: .sessions(sessions), policy: bound),
                ScheduleEntry(id: "window", function: "f", kind: window, policy: free),
            ],
            rotations: [rotation]
        )
    }

    @Test("the books are right whenever and however often the host dies", arguments: 0..<40)
    func invariants(part: Int) throws {
        var runs = 0
        var crashes = 0
        for number in 0..<250 {
            let seed = UInt64(part * 250 + number)
            let plan = Self.plans[Int(seed) % Self.plans.count]
            var world = ScheduleWorld(plan: plan, start: at("2026-11-20T12:00:00Z"), seed: seed)
            for _ in 0..<12 { world.step() }
            world.finish()
            try world.audit()
            runs += world.runs
            crashes += world.crashes
            #expect(world.faults == [], "seed \(seed)")
            guard world.faults.isEmpty else { return }
        }
        #expect(runs > 1_000 && crashes > 100)
    }
}
