import FunctionCore
import HostKit
import Invocations
import Scheduling
import Settings
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ProjectTests {
    private static let market = """
        rotation: market
        calendar: XNYS
        phases:
          trading: {from: open, until: close-5m, drain: 60s, function: trading, every: 1m}
          learning: {from: close+15m, until: open-30m, function: learning}
        """

    @Test("a good project has its functions, schedules, rotations and calendars")
    func good() {
        let folder = ProjectFolder(
            [
                "functions/Trading/function.yaml": manifestText("trading"),
                "functions/Learning/function.yaml": manifestText("learning"),
                "functions/Motto/function.yaml": manifestText(
                    "motto",
                    "triggers:\n  schedule:\n"
                        + "    - {schedule: daily, cron: \"30 9 * * 1-5\", zone: Europe/Vienna}\n"
                ),
                "functions/Nothing/Source.swift": "// no manifest here",
                "schedules/market.yaml": ProjectTests.market,
                "schedules/often.yaml":
                    "schedule: often\nfunction: motto\nevery: 15m\ncatchUp: 3\noverlap: allow\n"
                    + "event: '{\"prompt\": \"x\"}'\n",
            ],
            realCalendar: true
        )
        let (project, problems) = folder.load(bundle: ["trading", "learning", "motto"])
        #expect(problems.isEmpty, "\(problems.map(\.description))")
        #expect(project.manifests.map(\.name).sorted() == ["learning", "motto", "trading"])
        let expected = ["daily", "market.learning", "market.trading", "often"]
        #expect(project.book.entries.map(\.id).sorted() == expected)
        #expect(project.book.rotationOf == ["trading": "market", "learning": "market"])
        #expect(project.book.inputs["often"]?["prompt"]?.stringValue == "x")
        let next = project.plan.next(1, for: "trading", after: at("2026-11-27T00:00:00Z"))
        #expect(next.upcoming.first?.instant == at("2026-11-27T14:30:00Z"))
    }

    @Test("the project's own functions and schedules are in order")
    func own() {
        let problems = Problems()
        let root = Installed.project
        let project = Project.load(
            functions: "\(root)/Functions",
            schedules: "\(root)/schedules",
            bundle: nil,
            everyCalendar: true,
            problems: problems
        )
        #expect(problems.all.map(\.description) == [])
        #expect(project.manifests.count == 8)
    }

    @Test("two functions on one route are told of, at the second")
    func conflict() throws {
        let route = "triggers:\n  http:\n    - {method: GET, path: \"/v1/things/{id}\", operation: get}\n"
        let other = "triggers:\n  http:\n    - {method: GET, path: \"/v1/things/{name}\", operation: get}\n"
        let folder = ProjectFolder([
            "functions/A/function.yaml": manifestText("first", route),
            "functions/B/function.yaml": manifestText("second", other),
        ])
        let (_, problems) = folder.load()
        let problem = try #require(problems.first)
        #expect(problems.count == 1)
        #expect(folder.place(problem) == "functions/B/function.yaml:5")
        #expect(problem.message.contains("first") && problem.message.contains("second"))
    }

    @Test("many faults in many files are told at once, each with its file and line")
    func manyFaults() {
        let folder = ProjectFolder(
            [
                "functions/A/function.yaml": manifestText("one", "limits: {timeout: soon}\n"),
                "functions/B/function.yaml": manifestText("one"),
                "functions/C/function.yaml": manifestText(
                    "three",
                    "triggers:\n  schedule:\n    - {cron: \"61 * * * *\", zone: Mars/Base}\n"
                ),
                "schedules/a.yaml": "schedule: a\nfunction: tree\ncron: \"* * * *\"\n",
                "schedules/b.yaml": "schedule: b\nfunction: three\n",
                "schedules/c.yaml": "schedule: b\nfunction: three\nevery: never\ncatchUp: often\n",
                "schedules/d.yaml": "rotation: r\ncalendar: XNYZ\nphases: {}\n",
                "schedules/e.yaml": "schedule: e\nfunction: three\nevery: 5m\nevent: '{'\nextra: 1\n",
                "schedules/calendars/odd.yaml":
                    "name: odd\nzone: Nowhere/City\nopen: \"9:30\"\nclose: \"16:00\"\n"
                    + "firstYear: 2026\nlastYear: 2027\n",
            ],
            realCalendar: true
        )
        let (_, problems) = folder.load()
        let places = problems.map { folder.place($0) }
        for place in [
            "functions/A/function.yaml:3", "functions/B/function.yaml:1", "functions/C/function.yaml:5",
            "schedules/a.yaml:2", "schedules/a.yaml:3", "schedules/b.yaml:1", "schedules/c.yaml:3",
            "schedules/d.yaml:2", "schedules/e.yaml:4", "schedules/e.yaml:5",
            "schedules/calendars/odd.yaml:2",
        ] {
            #expect(places.contains(place), "\(place) is not among \(problems.map(\.description))")
        }
        // Cron and zone stand on one line and are two faults.
        #expect(places.filter { $0 == "functions/C/function.yaml:5" }.count == 2)
        #expect(problems.allSatisfy { !$0.hint.isEmpty })
        let typing = problems.first { folder.place($0) == "schedules/a.yaml:2" }
        #expect(typing?.hint == "did you mean three?")
    }

    @Test("a window lies in a phase of its market: Tokyo's mornings and afternoons, never the pause")
    func phases() throws {
        let text = """
            rotation: tokyo
            calendar: XTKS
            phases:
              trading: {function: trading, while: regular, cutoff: 1m before close, hardStop: close}
              learning: {function: learning, while: closed, from: close+15m, until: 30m before open}
            """
        let folder = ProjectFolder(
            [
                "functions/T/function.yaml": manifestText("trading"),
                "functions/L/function.yaml": manifestText("learning"), "schedules/tokyo.yaml": text,
            ],
            realCalendar: true
        )
        let (project, problems) = folder.load()
        #expect(problems.isEmpty, "\(problems.map(\.description))")
        let plan = try #require(project.book.rotations.first)
        let day = try plan.timeline(from: at("2026-11-20T00:00:00Z"), to: at("2026-11-20T12:00:00Z"))
        #expect(
            day.filter { $0.window == "trading" }.map(\.instant.rfc3339) == [
                "2026-11-20T00:00:00Z", "2026-11-20T02:29:00Z", "2026-11-20T03:30:00Z",
                "2026-11-20T06:29:00Z",
            ]
        )
        #expect(day.last?.window == "learning" && day.last?.instant == at("2026-11-20T06:45:00Z"))
    }

    @Test("what is in a rotation is checked: edges, functions, and that a function has one window")
    func rotationFaults() {
        let text = """
            rotation: market
            calendar: XNYS
            phases:
              early: {from: dawn, until: close, function: trading}
              middle: {from: open, until: lunch, function: nobody, every: 1x, cutoff: 5m befor close}
              late: {from: close+15m, until: open-30m, function: trading}
            """
        let again =
            "rotation: other\ncalendar: XNYS\nphases:\n  w: {from: open, until: close, function: trading}\n"
        let folder = ProjectFolder(
            [
                "functions/T/function.yaml": manifestText("trading"),
                "schedules/market.yaml": text,
                "schedules/other.yaml": again,
            ],
            realCalendar: true
        )
        let (_, problems) = folder.load()
        let places = problems.map { folder.place($0) }
        #expect(places.contains("schedules/market.yaml:4"))
        #expect(places.filter { $0 == "schedules/market.yaml:5" }.count == 4)
        #expect(!problems.contains { $0.message.contains("there is no rotation") }, "it is only faulty")
        #expect(
            problems.contains {
                folder.place($0) == "schedules/other.yaml:4" && $0.message.contains("market")
            }
        )
    }

    @Test("a bundle and the manifests must have the same functions")
    func bundle() {
        let folder = ProjectFolder(["functions/A/function.yaml": manifestText("one")])
        let (_, problems) = folder.load(bundle: ["two"])
        #expect(problems.count == 2)
        #expect(problems.contains { $0.message == "the bundle has no function one" })
        #expect(problems.contains { $0.file == "bundle" && $0.message.contains("two") })
    }

    @Test("a folder without functions is a problem with a remedy")
    func empty() {
        let (_, problems) = ProjectFolder([:]).load()
        #expect(problems.count == 1)
        #expect(problems[0].hint.contains("--functions"))
    }
}
