import Foundation
import FunctionCore
import HostKit
import Scheduling
import Settings
import TestSupport
import Testing

@Suite("Schedules in YAML", .timeLimit(.minutes(1)))
struct ScheduleReadingTests {
    private func read(_ lines: String) -> (ScheduleBook, Problems) {
        let problems = Problems()
        let root = #filePath.components(separatedBy: "/Tests/")[0]
        let calendars = CalendarFiles(schedules: root + "/schedules")
        var reader = ScheduleReader(problems: problems, calendarFiles: calendars)
        reader.readFile("schedule: s\nfunction: f\n\(lines)\n", file: "s.yaml", functions: ["f"])
        return (reader.book, problems)
    }

    private func entry(_ lines: String) throws -> ScheduleEntry {
        let (book, problems) = read(lines)
        #expect(problems.isEmpty, "\(problems.all)")
        return try #require(book.entries.first)
    }

    @Test("every kind, limit and policy is read")
    func whole() throws {
        let text = """
            every: 15m
            anchor: "2026-11-01T00:05"
            zone: Europe/Vienna
            start: 2026-11-01
            end: 2026-11-30T00:00:00Z
            exclude:
              - {cron: "* 12 * * *"}
              - {dates: ["2026-11-20"]}
              - {calendar: XNYS, days: closed}
            jitter: 30s
            catchUp: all(24)
            overlap: bufferOne
            deadline: 10m
            pauseOnFailure: 5
            remaining: 100
            """
        let entry = try entry(text)
        #expect(entry.kind.text == "every 15m from 2026-10-31T23:05:00Z")
        #expect(entry.limits.start == Instant(rfc3339: "2026-10-31T23:00:00Z"))
        #expect(entry.limits.exclusions.count == 3 && entry.limits.jitter == .seconds(30))
        let policy = SchedulePolicy(
            catchUp: .all(max: 24),
            overlap: .bufferOne,
            deadline: .seconds(600),
            pauseOnFailure: 5,
            remaining: 100
        )
        #expect(entry.policy == policy)
    }

    @Test(
        "kinds are told apart by their keys",
        arguments: [
            ("at: \"2026-12-01T09:00\"\nzone: Europe/Vienna", "at 2026-12-01T08:00:00Z"),
            ("at: 2026-12-01T09:00:00Z", "at 2026-12-01T09:00:00Z"),
            ("calendar: XNYS\nat: open+5m\ndeadline: window", "sessions XNYS all at open+300s"),
            (
                "calendar: XNYS\nevery: 1m\nuntil: close-10m\nsessions: last of week",
                "sessions XNYS -1 of week every 1m from open until close-600s"
            ),
            ("every: 1h\nstart: 2026-11-01T00:10:00Z", "every 1h from 2026-11-01T00:10:00Z"),
        ]
    )
    func kinds(text: String, kind: String) throws {
        let entry = try entry(text)
        #expect(entry.kind.text == kind)
        #expect(entry.policy.isBoundToWindow == text.contains("deadline: window"))
    }

    @Test(
        "what is wrong is told with its line and a hint",
        arguments: [
            ("overlap: skip", 1, "none of `cron`, `every` and `at`"),
            ("every: 1m\ncron: 0 0 * * *", 1, "`cron` and `every`"),
            ("every: 1m\nsessions: all", 4, "goes with `calendar` only"),
            ("calendar: XNIX\nat: open", 3, "there is no calendar `XNIX`"),
            ("calendar: XNYS\nat: noon", 4, "neither open nor close"),
            ("calendar: XNYS\nat: open\nsessions: tenth", 5, "`tenth` names no sessions"),
            ("calendar: XNYS", 1, "none of"),
            ("every: 1m\ndeadline: window", 4, "there is no window"),
            ("cron: 0 0 * * *\ndeadline: window", 4, "there is no window"),
            ("at: 2026-12-01T09:00:00Z\ndeadline: window", 4, "there is no window"),
            ("calendar: XNYS\nat: close+5m\ndeadline: window", 5, "not all within a session"),
            ("calendar: XNYS\nat: open-5m\ndeadline: window", 5, "not all within a session"),
            ("calendar: XNYS\nevery: 1m\nuntil: close+1h\ndeadline: window", 6, "not all within a session"),
            ("every: 1m\noverlap: queue", 4, "`queue` is not known"),
            ("every: 1m\ncatchUp: all(0)", 4, "`all(0)` is not known"),
            ("every: 1m\nexclude: [{days: closed}]", 4, "nothing to leave out"),
            ("every: 1m\nexclude: [{dates: [\"2026-02-30\"]}]", 4, "is no date"),
            ("every: 1m\nstart: tomorrow", 4, "`tomorrow` is no time"),
            ("every: 1m\nremaining: 0", 4, "a whole number"),
            ("at: \"2026-12-01T25:00\"", 3, "is no time"),
        ]
    )
    func faults(text: String, line: Int, message: String) throws {
        let problem = try #require(read(text).1.all.first)
        #expect(problem.line == line && problem.file == "s.yaml", "\(problem)")
        #expect(problem.message.contains(message), "\(problem)")
        #expect(!problem.hint.isEmpty)
    }
}
