import FunctionCore
import HostKit
import Settings
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ConfigurationTests {
    private func resolve(
        flags: [String: String] = [:],
        environment: [String: String] = [:],
        file: String? = nil
    ) -> (Configuration, [Problem]) {
        let problems = Problems()
        let configuration = Configuration.resolve(
            flags: flags,
            environment: environment,
            file: file.map { ("host.yaml", $0) },
            problems: problems
        )
        return (configuration, problems.all)
    }

    @Test("flags stand over the environment, the environment over the file, the file over defaults")
    func precedence() {
        let file = "gateway:\n  port: 3\nadmin:\n  port: 3\ndata: three\n"
        let (settings, problems) = resolve(
            flags: ["gateway.port": "1"],
            environment: ["SWIFTLET_PORT": "2", "SWIFTLET_ADMIN_PORT": "2"],
            file: file
        )
        #expect(problems.isEmpty)
        #expect(settings["gateway.port"] == "1")
        #expect(settings["admin.port"] == "2")
        #expect(settings["data"] == "three")
        #expect(settings["loops"] == "1")
        let sources = Dictionary(uniqueKeysWithValues: settings.effective.map { ($0.name, $0.source) })
        #expect(sources["gateway.port"] == "flag")
        #expect(sources["admin.port"] == "SWIFTLET_ADMIN_PORT")
        #expect(sources["data"] == "host.yaml:5")
        #expect(sources["loops"] == "default")
    }

    @Test("an empty variable is as good as none")
    func emptyVariable() {
        let (settings, _) = resolve(environment: ["SWIFTLET_DATA": ""], file: "data: kept\n")
        #expect(settings["data"] == "kept")
    }

    @Test("keys that nobody knows are told all at once, with their line and the nearest one")
    func unknownKeys() {
        let file = "gateway:\n  prot: 80\nnonsense: 1\nlog: {levle: info}\nadmin: 5\n"
        let (_, problems) = resolve(file: file)
        #expect(problems.map(\.line) == [2, 3, 4, 5])
        #expect(problems[0].hint == "did you mean gateway.port?")
        #expect(problems[1].message.contains("nonsense"))
        #expect(problems[2].hint == "did you mean log.level?")
    }

    @Test("secrets are masked where settings are shown, and listed for redaction")
    func secrets() {
        let (settings, _) = resolve(environment: [
            "OPENAI_API_KEY": "sk-hidden", "REDIS_URL": "redis://me:pass:word@host:6379/1",
        ])
        let shown = settings.effective.map(\.value)
        #expect(!shown.contains { $0.contains("hidden") || $0.contains("word") })
        #expect(shown.filter { $0 == "[secret]" }.count == 2)
        #expect(settings.secrets.sorted() == ["pass:word", "sk-hidden"])
    }

    @Test(
        "a Redis URL without a password has no secret",
        arguments: [
            "redis://host:6379", "redis://me@host:6379", "redis://me:@host:6379", "unix:///run/redis.sock",
        ]
    )
    func noPassword(url: String) {
        #expect(resolve(environment: ["REDIS_URL": url]).0.secrets.isEmpty)
    }

    @Test("values out of range name the setting, where it was set, and what may stand there")
    func ranges() {
        let (settings, _) = resolve(
            flags: ["gateway.port": "70000", "clock.speed": "-1"],
            environment: [
                "SWIFTLET_LOOPS": "none", "SWIFTLET_STOP_GRACE": "soon", "SWIFTLET_CLOCK_AT": "noon",
            ],
            file: "keep: {logs: much}\nlog: {level: loud, format: xml}\n"
        )
        let problems = Problems()
        _ = settings.port("gateway.port", problems)
        _ = settings.number("clock.speed", 0...100_000, problems)
        _ = settings.number("loops", 1...64, problems)
        _ = settings.duration("stop.grace", problems)
        _ = settings.instant("clock.at", problems)
        _ = settings.size("keep.logs", problems)
        _ = settings.level(problems)
        settings.word("log.format", ["json", "none"], problems)
        let found = problems.all
        #expect(found.count == 8)
        let places = Set(found.map(\.file))
        let expected: Set = [
            "--gateway.port", "--clock.speed", "SWIFTLET_LOOPS", "SWIFTLET_STOP_GRACE", "SWIFTLET_CLOCK_AT",
            "host.yaml:1", "host.yaml:2",
        ]
        #expect(places == expected)
        #expect(found.allSatisfy { !$0.hint.isEmpty })
    }

    @Test("what is in range is read")
    func values() {
        let (settings, _) = resolve(environment: [
            "SWIFTLET_CLOCK_AT": "2026-11-20T14:25:00Z", "SWIFTLET_KEEP_JOBS": "2d",
        ])
        let problems = Problems()
        #expect(settings.port("gateway.port", problems) == 8080)
        #expect(settings.duration("keep.jobs", problems) == .seconds(2 * 86_400))
        #expect(settings.size("keep.logs", problems) == 64 << 20)
        #expect(settings.instant("clock.at", problems) == at("2026-11-20T14:25:00Z"))
        #expect(settings.level(problems) == .info)
        #expect(problems.isEmpty)
    }

    @Test("a journal that hosts share needs a server with a name")
    func sharedJournal() {
        for (more, faults) in [([:], 1), (["REDIS_URL": "redis://db:6379/0"], 0)] as [([String: String], Int)]
        {
            let (settings, _) = resolve(
                environment: ["SWIFTLET_JOURNAL": "redis"].merging(more) { first, _ in first }
            )
            let problems = Problems()
            #expect(HostSettings(settings, problems: problems).sharesJobs)
            #expect(problems.all.count == faults, "\(problems.all)")
            #expect(problems.all.allSatisfy { $0.hint.contains("redis.url") })
        }
    }

    @Test("a .env file has names and values, comments, quotes and exports")
    func dotEnv() {
        let text = """
            # a comment=not this
            PLAIN=one
            export EXPORTED = two
              INDENTED=three\u{20}\u{20}
            QUOTED="four # and more"
            SINGLE='five'
            EMPTY=
            EQUALS=a=b=c
            no assignment
            two words=nothing
            WINDOWS=six\r
            """
        let expected = [
            "PLAIN": "one", "EXPORTED": "two", "INDENTED": "three", "QUOTED": "four # and more",
            "SINGLE": "five", "EMPTY": "", "EQUALS": "a=b=c", "WINDOWS": "six",
        ]
        #expect(parseDotEnv(text) == expected)
    }
}
