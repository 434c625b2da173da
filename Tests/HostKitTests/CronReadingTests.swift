import FunctionCore
import HostKit
import Scheduling
import Settings
import Testing

@Suite("Cron in schedule files", .timeLimit(.minutes(1)))
struct CronReadingTests {
    private func read(_ lines: String) -> (ScheduleBook, Problems) {
        let problems = Problems()
        var reader = ScheduleReader(problems: problems)
        reader.readFile("schedule: s\nfunction: f\n\(lines)\n", file: "s.yaml", functions: ["f"])
        return (reader.book, problems)
    }

    @Test("zone, dialect and policy come into the expression, the zone also from in front of it")
    func settings() throws {
        let (book, problems) = read("cron: 0 30 9 ? * 2-6\ndialect: quartz\ndst: both\nzone: Europe/Vienna")
        #expect(problems.isEmpty, "\(problems.all)")
        guard case .cron(let cron, let zone) = book.entries.first?.kind else {
            Issue.record("no cron")
            return
        }
        #expect(cron.daylight == .both && zone.name == "Europe/Vienna")
        guard case .cron(_, let tokyo) = read("cron: CRON_TZ=Asia/Tokyo 0 9 * * *").0.entries.first?.kind
        else {
            Issue.record("no cron")
            return
        }
        #expect(tokyo.name == "Asia/Tokyo")
    }

    @Test(
        "what is wrong is told with its line and a hint",
        arguments: [
            ("cron: 61 * * * *", 3, "field minute: \"61\" is not within 0-59"),
            ("cron: 0 0 * * ?\ndialect: quartz", 3, "write six"),
            ("cron: 0 0 * * *\ndst: never", 4, "`never` is not known"),
            ("cron: 0 0 * * *\ndialect: posix", 4, "`posix` is not known"),
            ("cron: CRON_TZ=Asia/Tokyo 0 9 * * *\nzone: UTC", 3, "take one out"),
            ("cron: CRON_TZ=Mars/Olympus 0 9 * * *", 3, "Mars/Olympus"),
            ("cron: \"@reboot\"", 3, "a start of the host begins no run"),
            ("cron: H 4 * * *", 3, "spread schedules by jitter:"),
            ("every: 1m\nexclude: [{cron: \"@reboot\"}]", 4, "names no time"),
        ]
    )
    func faults(lines: String, line: Int, message: String) {
        let problem = read(lines).1.all.first
        #expect(problem?.line == line && problem?.hint.isEmpty == false)
        #expect(problem?.message.contains(message) == true, "\(problem?.message ?? "")")
    }

    @Test("an expression that never comes is a warning with its line, and the schedule is kept")
    func never() {
        let (book, problems) = read("cron: 0 0 30 2 *")
        #expect(problems.isEmpty && book.entries.count == 1)
        #expect(problems.warnings.first?.line == 3)
        #expect(problems.warnings.first?.message.contains("never comes") == true)
    }
}

@Suite("TimeZoneWatch", .timeLimit(.minutes(1)))
struct TimeZoneWatchTests {
    @Test("the zones that schedules follow by old rules are told, and no others")
    func stale() throws {
        var reader = ScheduleReader(problems: Problems())
        let text = "schedule: s\nfunction: f\ncron: 0 9 * * *\nzone: Europe/Vienna\n"
        reader.readFile(text, file: "s.yaml", functions: ["f"])
        var zones = reader.book.zones
        #expect(Array(zones.keys) == ["Europe/Vienna"])
        var database = TimeZoneDatabase()
        var told: [String: TimeZoneRules] = [:]
        #expect(TimeZoneWatch.stale(zones, &database, &told, now: .now).isEmpty)
        zones["Asia/Tokyo"] = zones["Europe/Vienna"]
        zones["Mars/Olympus"] = .utc
        #expect(TimeZoneWatch.stale(zones, &database, &told, now: .now) == ["Asia/Tokyo"])
        // The reload that this asked for was refused: it is not asked for each minute.
        #expect(TimeZoneWatch.stale(zones, &database, &told, now: .now).isEmpty)
    }
}
