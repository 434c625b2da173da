import FunctionCore
import Scheduling
import Testing

@Suite("SchedulePlan", .timeLimit(.minutes(1)))
struct SchedulePlanTests {
    private func plan() throws -> SchedulePlan {
        let newYork = try TimeZoneRules.load("America/New_York")
        return try SchedulePlan(
            entries: [
                ScheduleEntry(
                    id: "daily",
                    function: "motto",
                    kind: .cron(CronExpression("0 7 * * *"), zone: newYork)
                ),
                ScheduleEntry(
                    id: "trade",
                    function: "trading",
                    kind: .window(rotation: "market", window: "trading", every: .seconds(7_200))
                ),
                ScheduleEntry(
                    id: "learn",
                    function: "learning",
                    kind: .window(rotation: "market", window: "learning", every: nil)
                ),
            ],
            rotations: [Market.rotation()]
        )
    }

    @Test("a preview shows the runs of all entries in their order, over a holiday and a half day")
    func preview() throws {
        let preview = try plan().next(9, after: at("2026-11-25T20:00:00Z"))
        let rows = preview.upcoming.map { "\($0.instant.rfc3339) \($0.id) \($0.window ?? "-")" }
        #expect(
            rows == [
                "2026-11-25T20:30:00Z trade trading",
                "2026-11-25T21:15:00Z learn learning",
                "2026-11-26T12:00:00Z daily -",
                "2026-11-27T12:00:00Z daily -",
                "2026-11-27T14:30:00Z trade trading",
                "2026-11-27T16:30:00Z trade trading",
                "2026-11-27T18:15:00Z learn learning",
                "2026-11-28T12:00:00Z daily -",
                "2026-11-29T12:00:00Z daily -",
            ]
        )
        #expect(preview.faults == [])
    }

    @Test("a preview of one function shows only its own, and says where the calendar ends")
    func previewToTheEnd() throws {
        let preview = try plan().next(50, for: "learning", after: at("2028-12-20T22:00:00Z"))
        #expect(preview.upcoming.allSatisfy { $0.function == "learning" })
        #expect(preview.upcoming.last?.instant == at("2028-12-28T21:15:00Z"))
        #expect(preview.faults.map(\.code) == [.calendarExpired])
        let much = try plan().next(1_000_000, for: "motto", after: at("2026-01-01T00:00:00Z"))
        #expect(much.upcoming.count == SchedulePlan.previewLimit)
        #expect(try plan().next(-1, after: at("2026-01-01T00:00:00Z")).upcoming == [])
    }

    @Test("all faults of a plan are told at once")
    func faults() throws {
        let every = ScheduleEntry.Kind.every(EverySchedule(interval: .seconds(60)))
        let error = #expect(throws: SchedulingError.self) {
            try SchedulePlan(
                entries: [
                    ScheduleEntry(id: "a", function: "f", kind: every),
                    ScheduleEntry(id: "a", function: "f", kind: every, catchUp: .all(max: 0)),
                    ScheduleEntry(
                        id: "b",
                        function: "f",
                        kind: .window(rotation: "nowhere", window: "x", every: nil)
                    ),
                    ScheduleEntry(
                        id: "c",
                        function: "f",
                        kind: .window(rotation: "market", window: "dinner", every: .milliseconds(5))
                    ),
                ],
                rotations: [Market.rotation()]
            )
        }
        for hint in [
            "a is there twice", "0 is not within", "no rotation nowhere", "trading, learning", "shorter",
        ] {
            #expect(error?.message.contains(hint) == true, "\(hint)")
        }
    }
}
