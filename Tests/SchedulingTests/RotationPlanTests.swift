import FunctionCore
import Scheduling
import Testing

@Suite("RotationPlan", .timeLimit(.minutes(1)))
struct RotationPlanTests {
    private func plan(_ windows: [(String, String, String)]) throws -> RotationPlan {
        try RotationPlan(
            id: "test",
            calendar: Market.xnys(),
            windows: windows.map {
                RotationWindow(
                    name: $0.0,
                    from: try SessionEdge(parsing: $0.1),
                    to: try SessionEdge(parsing: $0.2)
                )
            }
        )
    }

    @Test("the windows of two months, half days and holidays included, are as the golden file lists them")
    func golden() throws {
        let events = try Market.rotation().timeline(
            from: at("2026-11-01T00:00:00Z"),
            to: at("2027-01-01T00:00:00Z")
        )
        let actual = events.map { "\($0.instant.rfc3339) \($0.window) \($0.kind.rawValue)\n" }.joined()
        #expect(try Repository.golden("Tests/Golden/rotation-2026-11.txt", actual: actual) == actual)
    }

    @Test("a timeline takes in its start, leaves out its end, and needs no whole spans")
    func timelineEdges() throws {
        let plan = try Market.rotation()
        let day = try plan.timeline(from: at("2026-11-27T14:30:00Z"), to: at("2026-11-27T18:15:00Z"))
        #expect(day.map(\.kind) == [.open, .close])
        #expect(day.map(\.instant) == [at("2026-11-27T14:30:00Z"), at("2026-11-27T17:55:00Z")])
        #expect(try plan.timeline(from: at("2026-11-27T15:00:00Z"), to: at("2026-11-27T15:00:00Z")) == [])
        #expect(throws: SchedulingError.self) {
            try plan.timeline(from: at("2028-12-01T00:00:00Z"), to: at("2030-01-01T00:00:00Z"))
        }
    }

    @Test("three windows may take turns, and touch")
    func threeWindows() throws {
        let plan = try plan([
            ("preopen", "open-20m", "open"), ("trading", "open", "close"), ("learning", "close", "open-20m"),
        ])
        let events = try plan.timeline(from: at("2026-11-20T00:00:00Z"), to: at("2026-11-20T23:00:00Z"))
        #expect(
            events.map { "\($0.window) \($0.kind.rawValue)" } == [
                "learning close", "preopen open", "preopen close", "trading open", "trading close",
                "learning open",
            ]
        )
        #expect(try plan.span(at: at("2026-11-20T14:30:00Z"))?.window == "trading")
        #expect(try plan.span(at: at("2026-11-20T21:00:00Z"))?.window == "learning")
    }

    @Test("a half day shorter than a window leaves it out")
    func shortDay() throws {
        let plan = try plan([("afternoon", "open+4h", "close-1h")])
        let days = try plan.timeline(from: at("2026-11-25T00:00:00Z"), to: at("2026-12-01T00:00:00Z"))
        #expect(
            days.map { $0.instant.rfc3339.prefix(10) } == [
                "2026-11-25", "2026-11-25", "2026-11-30", "2026-11-30",
            ]
        )
    }

    @Test("windows that overlap on any day, even only on half days, cannot be made")
    func overlap() throws {
        let error = #expect(throws: SchedulingError.self) {
            try plan([("early", "open", "open+4h"), ("late", "close-2h", "close")])
        }
        #expect(error?.code == .rotationInvalid)
        #expect(error?.message.contains("2025-07-03") == true, "\(error?.message ?? "")")
    }

    @Test("all faults of a rotation are told at once")
    func faults() throws {
        let error = #expect(throws: SchedulingError.self) {
            try plan([("a b", "open", "close"), ("x", "open+13h", "close"), ("x", "open", "close-13h")])
        }
        for hint in ["\"a b\"", "from: open+46800s", "until: close-46800s", "same name"] {
            #expect(error?.message.contains(hint) == true, "\(hint)")
        }
        #expect(throws: SchedulingError.self) { try plan([]) }
    }

    @Test(
        "an edge is read as it is written in a schedule's file",
        arguments: [
            ("open", 0), ("close", 0), ("open+5m", 300), ("close-1h30m", -5_400),
        ]
    )
    func edges(text: String, seconds: Int) throws {
        #expect(try SessionEdge(parsing: text).offset == .seconds(seconds))
    }

    @Test(
        "what is no edge is refused",
        arguments: ["", "Open", "noon", "open+", "open 5m", "open+-5m", "+5m", "open5m"]
    )
    func badEdges(text: String) {
        #expect(throws: SchedulingError.self) { try SessionEdge(parsing: text) }
    }

    @Test("a plan does not answer where a session it needs is unknown")
    func coverage() throws {
        let learning = try plan([("learning", "close+15m", "open-30m")])
        #expect(throws: SchedulingError.self) { try learning.span(at: at("2028-12-30T12:00:00Z")) }
        #expect(throws: SchedulingError.self) { try learning.span(at: at("2025-01-01T12:00:00Z")) }
        #expect(try learning.span(at: at("2028-12-29T15:00:00Z")) == nil)
        let trading = try plan([("trading", "open", "close")])
        #expect(try trading.span(at: at("2028-12-30T12:00:00Z")) == nil)
        #expect(throws: SchedulingError.self) { try trading.span(at: at("2029-01-02T15:00:00Z")) }
        #expect(throws: SchedulingError.self) {
            try trading.span(of: "trading", endingAfter: at("2028-12-30T12:00:00Z"))
        }
    }
}
