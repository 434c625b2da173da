import FunctionCore
import HostKit
import Providers
import Scheduling
import Settings
import TestSupport
import Testing

/// The product's own calendar files, and what a project may put beside them.
@Suite("Calendar files", .timeLimit(.minutes(2)))
struct CalendarFileTests {
    private let own = CalendarFiles(schedules: "\(Installed.project)/schedules", shipped: nil)

    private func reader(_ folder: ProjectFolder, _ problems: Problems) -> ScheduleReader {
        let files = CalendarFiles(schedules: folder.schedules, shipped: own.own)
        return ScheduleReader(problems: problems, calendarFiles: files)
    }

    /// `open-close`, with the pause between where there is one, in UTC.
    private func hours(_ session: MarketCalendar.Session?) -> String {
        guard let session else { return "closed" }
        let times = [session.open, session.pause?.lowerBound, session.pause?.upperBound, session.close]
        return times.compactMap { $0.map { String($0.rfc3339.dropFirst(11).prefix(5)) } }.joined(
            separator: "-"
        )
    }

    @Test("each shipped calendar states version and sources, and knows the years to 2040")
    func shipped() throws {
        let problems = Problems()
        var reader = ScheduleReader(problems: problems, calendarFiles: own)
        let names = ["24/7", "CMES", "XASX", "XETR", "XHKG", "XLON", "XNAS", "XNYS", "XPAR", "XTKS", "XTSE"]
        #expect(own.names == names)
        for name in names {
            let read = reader.calendar(named: name)
            let calendar = try #require(read, "\(problems.all)")
            #expect(calendar.name == name && !calendar.version.isEmpty && !calendar.sources.isEmpty)
            #expect(calendar.years == (name == "XTKS" ? 1992 : 1990)...2040)
            let text = Text.read(own.file(of: name) ?? "") ?? ""
            #expect(text.hasPrefix("#"), "\(name)")
        }
        #expect(problems.isEmpty)
    }

    @Test("New York has as many sessions a year as the exchange held, and 88 half days until 2030")
    func sessionsPerYear() throws {
        var reader = ScheduleReader(problems: Problems(), calendarFiles: own)
        let read = reader.calendar(named: "XNYS")
        let calendar = try #require(read)
        let byYear = Dictionary(grouping: calendar.sessions) { $0.date.year }
        let expected = [
            253, 253, 254, 253, 252, 252, 254, 253, 252, 252, 252, 248, 252, 252, 252, 252, 251, 251, 253,
            252, 252,
            252, 250, 252, 252, 252, 252, 251, 251, 252, 253, 252, 251, 250, 252, 250, 251, 251, 251, 251,
            251,
        ]
        #expect((1990...2030).map { byYear[$0]?.count ?? 0 } == expected)
        // Four of 92 were no half days, but ended when trading was stopped.
        let early = calendar.sessions.filter { $0.isEarlyClose && $0.date.year <= 2030 }
        #expect(early.count == 92)
    }

    @Test(
        "the days that trap a naive rule are right",
        arguments: [
            // The Fourth on a Saturday: Friday is the holiday, and Thursday is no half day.
            ("XNYS", "1998-07-03", "closed"), ("XNYS", "1998-07-02", "13:30-20:00"),
            ("XNYS", "2020-07-03", "closed"), ("XNYS", "2026-07-02", "13:30-20:00"),
            ("XNYS", "2027-06-18", "closed"), ("XNYS", "2021-12-24", "closed"),
            ("XNYS", "2021-12-23", "14:30-21:00"),
            ("XNYS", "2010-12-31", "14:30-21:00"), ("XNYS", "2027-12-31", "14:30-21:00"),
            ("XNYS", "2000-01-03", "14:30-21:00"), ("XNYS", "1992-11-27", "14:30-19:00"),
            ("XNYS", "1996-01-08", "16:00-19:00"), ("XNYS", "2012-07-03", "13:30-17:00"),
            ("XNYS", "2013-07-03", "13:30-17:00"), ("XNYS", "2002-07-05", "13:30-17:00"),
            ("XNYS", "2002-07-03", "13:30-20:00"), ("XNYS", "2001-09-17", "13:33-20:00"),
            ("XLON", "2022-12-27", "closed"), ("XLON", "2020-05-04", "07:00-15:30"),
            ("XLON", "2020-05-08", "closed"),
            ("XLON", "2022-12-23", "08:00-12:30"), ("XETR", "2022-12-30", "08:00-13:00"),
            ("XTKS", "2026-05-06", "closed"), ("XTKS", "2009-09-22", "closed"),
            ("XTKS", "2011-11-21", "00:00-02:30-03:30-06:00"),
            ("XTKS", "2024-11-05", "00:00-02:30-03:30-06:30"), ("XTKS", "2020-10-01", "closed"),
            ("XHKG", "2023-09-01", "closed"), ("XHKG", "2026-04-07", "closed"),
            ("XHKG", "2026-02-16", "01:30-04:00"),
            ("XHKG", "2011-03-04", "02:00-04:00-05:00-08:00"),
            ("XHKG", "2012-03-05", "01:30-04:00-05:00-08:00"),
            ("XTSE", "2027-05-24", "closed"), ("XASX", "2011-04-26", "closed"),
            ("XASX", "2026-12-24", "23:00-03:10"),
            ("CMES", "2026-03-09", "22:00-22:00"), ("CMES", "2026-03-06", "23:00-23:00"),
            ("CMES", "2026-11-26", "23:00-18:00"), ("24/7", "2026-12-25", "00:00-00:00"),
        ]
    )
    func traps(name: String, date: String, expected: String) throws {
        var reader = ScheduleReader(problems: Problems(), calendarFiles: own)
        let read = reader.calendar(named: name)
        let calendar = try #require(read)
        #expect(hours(try calendar.session(on: #require(CivilDate(parsing: date)))) == expected)
    }

    @Test("prices and the broker go by the calendar in which trading has its window")
    func pricesFollow() throws {
        func opens(_ calendar: String, _ function: String) throws -> Instant? {
            let folder = ProjectFolder([
                "functions/F/function.yaml": manifestText(function),
                "schedules/market.yaml":
                    "rotation: m\ncalendar: \(calendar)\nphases: {a: {function: \(function), while: open}}\n",
                "schedules/other.yaml":
                    "schedule: o\nfunction: \(function)\ncalendar: XNYS\nat: open\n",
            ])
            let sessions = CalendarSessions(folder.load().project.book)
            return sessions.session(containingOrBefore: at("2026-11-20T20:00:00Z"))?.open
        }
        #expect(try opens("XTKS", "trading") == at("2026-11-20T00:00:00Z"))
        #expect(try opens("{anyOf: [XLON, XTKS]}", "trading") == at("2026-11-20T08:00:00Z"))
        // Without a window of its own New York's sessions count.
        #expect(try opens("XTKS", "motto") == at("2026-11-20T14:30:00Z"))
    }

    @Test("a project's own calendar goes before the product's, and one may be put together from both")
    func ownCalendars() throws {
        let folder = ProjectFolder([
            "schedules/calendars/XNYS.yaml":
                "name: XNYS\nzone: America/New_York\nfirstYear: 2026\nlastYear: 2026\nopen: \"10:00\"\nclose: \"15:00\"\n",
            "schedules/calendars/together.yaml":
                "name: together\nallOf: [XNYS, {anyOf: [XLON, XLON post]}]\n",
        ])
        let problems = Problems()
        var reader = reader(folder, problems)
        let read = reader.calendar(named: "together")
        let calendar = try #require(read)
        let day = try #require(CivilDate(2026, 11, 20))
        #expect(hours(try calendar.session(on: day)) == "15:00-16:40")
        #expect(problems.isEmpty)
    }

    @Test("faults of a calendar's file are told with their lines")
    func faults() {
        let folder = ProjectFolder([
            "schedules/calendars/A.yaml": """
            name: A
            zone: UTC
            firstYear: 2026
            lastYear: 2026
            open: "09:00"
            close: "17:00"
            holidays:
              - { name: x, on: "5th mon jan" }
              - { name: y, on: "01-01", observe: sometimes }
              - { name: z }
            phases:
              - { phase: tea, start: open, end: close }
            """,
            "schedules/calendars/B.yaml":
                "name: A\nzone: UTC\nfirstYear: 2026\nlastYear: 2026\nopen: \"09:00\"\nclose: \"10:00\"\n",
            "schedules/calendars/C.yaml": "name: C\nanyOf: [C, NONE, XNYS tea]\n",
            "schedules/calendars/D.yaml": "name: D\nanyOf: [D]\n",
        ])
        let problems = Problems()
        var reader = reader(folder, problems)
        reader.readOwnCalendars()
        let places = problems.all.map { folder.place($0) }
        for place in [
            "A.yaml:8", "A.yaml:9", "A.yaml:10", "A.yaml:12", "B.yaml:1", "C.yaml:2", "D.yaml:1",
        ] {
            #expect(
                places.contains("schedules/calendars/\(place)"),
                "\(place): \(problems.all.map(\.description))"
            )
        }
    }

    @Test("an override of a day counts, whoever wrote it, and one without a session is a fault")
    func overrides() throws {
        let day = try #require(CivilDate(2026, 11, 23))
        var overrides = CalendarOverrides(calendar: "XNYS", days: [])
        let close = try #require(SessionTime(parsing: "13:00"))
        overrides.set(
            DayOverride(date: day, change: .hours(open: nil, close: close), reason: "a \"storm\": bad")
        )
        overrides.set(DayOverride(date: day.adding(days: 1), change: .closed, reason: "more"))
        let folder = ProjectFolder(["schedules/calendars/overrides/XNYS.yaml": overrides.text])
        let problems = Problems()
        var reader = reader(folder, problems)
        let read = reader.calendar(named: "XNYS")
        let calendar = try #require(read, "\(problems.all)")
        #expect(hours(try calendar.session(on: day)) == "14:30-18:00")
        #expect(try calendar.session(on: day.adding(days: 1)) == nil)
        #expect(reader.readOverrides(of: "XNYS") == overrides.days)
        let weekend = DayOverride(date: day.adding(days: -1), change: .closed, reason: "")
        reader.overrides["XLON"] = [weekend]
        let london = reader.calendar(named: "XLON")
        #expect(london == nil)
        #expect(problems.all.contains { $0.message.contains("2026-11-22") })
    }

    @Test("a rotation whose calendar has expired is told by check, with the instant it ended")
    func expired() throws {
        let folder = ProjectFolder([
            "functions/A/function.yaml": manifestText("trading"),
            "schedules/market.yaml":
                "rotation: market\ncalendar: OLD\nphases:\n  t: {while: open, function: trading}\n",
            "schedules/calendars/OLD.yaml":
                "name: OLD\nzone: UTC\nfirstYear: 2025\nlastYear: 2025\nopen: \"10:00\"\nclose: \"15:00\"\n",
        ])
        let (project, found) = folder.load()
        #expect(found.isEmpty, "\(found)")
        let problems = Problems()
        let before = try #require(Instant(rfc3339: "2025-12-31T23:59:59Z"))
        project.checkCalendars(at: before, schedules: folder.schedules, problems)
        #expect(problems.isEmpty && project.expired(at: before).isEmpty)
        let after = try #require(Instant(rfc3339: "2026-01-01T00:00:00Z"))
        project.checkCalendars(at: after, schedules: folder.schedules, problems)
        #expect(problems.all.first?.message.contains("calendar_expired") == true)
        #expect(project.expired(at: after).map(\.since) == [after])
    }
}
