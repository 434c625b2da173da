import FunctionCore
import Invocations
import Settings
import Testing

@Suite("function.yaml", .timeLimit(.minutes(1)))
struct ManifestReaderTests {
    private func read(_ text: String) -> (result: ManifestReader.Result?, problems: [Problem]) {
        let problems = Problems()
        let result = ManifestReader.read(text, file: "function.yaml", problems: problems)
        return (result, problems.all)
    }

    @Test("rate limits are read with their burst; what cannot be is told with its line")
    func rates() {
        let good = """
            name: motto
            rateLimits:
              - {per: key, rate: 10/s, burst: 20}
              - {per: key, header: Authorization, rate: 100/m}
              - {per: user, rate: 5/30s}
              - {per: address, rate: 1/h}
              - {per: function, rate: 1000/s}
            """
        let (result, problems) = read(good)
        #expect(problems == [])
        let limits = result?.manifest.rateLimits ?? []
        #expect(
            limits.map(\.per) == [
                .key(header: "x-api-key"), .key(header: "authorization"), .user, .address, .function,
            ]
        )
        #expect(limits.map(\.count) == [10, 100, 5, 1, 1000])
        #expect(limits.map(\.burst) == [20, 100, 5, 1, 1000])
        #expect(
            limits.map(\.window) == [
                .seconds(1), .seconds(60), .seconds(30), .seconds(3600), .seconds(1),
            ]
        )
        let bad = """
            name: motto
            rateLimits:
              - {per: caller, rate: 10/s}
              - {per: user, rate: many}
              - {per: user, rate: 20000/s}
              - {per: user, rate: 1/d, burst: 1000}
              - {per: user, header: x-api-key, rate: 1/s}
              - {rate: 1/s}
            """
        #expect(read(bad).problems.compactMap(\.line) == [3, 4, 5, 6, 7, 8])
    }

    @Test("prices are for operations that clients reach as jobs only; all else is told with its line")
    func prices() {
        func manifest(_ credits: String) -> String {
            """
            name: film
            triggers:
              http:
                - {method: POST, path: /films, operation: make, mode: async}
                - {method: POST, path: /drafts, operation: draft, mode: async}
                - {method: POST, path: /previews, operation: draft}
                - {method: GET, path: /films, operation: list}
            credits: \(credits)
            """
        }
        let (result, problems) = read(manifest("{make: 12}"))
        #expect(problems == [] && result?.manifest.prices == ["make": 12])
        for bad in ["{list: 1}", "{draft: 1}", "3", "{make: 0}", "{make: many}", "[3]"] {
            #expect(read(manifest(bad)).problems.map(\.line) == [8], "\(bad)")
        }
        let one = "name: f\ntriggers: {http: [{method: POST, path: /f, mode: async}]}\ncredits: 3"
        #expect(read(one).result?.manifest.prices == ["": 3])
    }

    private static let everything = """
        name: script
        summary: Writes scripts
        triggers:
          http:
            - method: POST
              path: /v1/users/{user}/scripts
              operation: create
              mode: async
            - {method: GET, path: "/v1/users/{user}/scripts"}
          redis:
            - stream: events:questionnaire.submitted
              batch: 10
            - {list: orders, take: left, batch: 5, concurrency: 3}
            - {channel: "news.*", operation: hear, buffer: 50}
          schedule:
            - id: nightly
        limits:
          timeout: 90s
          firstByte: 5s
          idle: 250ms
          grace: 1m
          memory: 512MiB
          payload: 64KiB
          perWorker: 4
          maxInFlight: 8
          queue: 0
          openFiles: 128
          cpu: 90s
        permissions: {network: true, fork: false}
        onDisconnect: continue
        scale: {min: 1, max: 3, idle: 1h}
        bindings: [text, users]
        environment:
          MODE: quick
          COUNT: 3
        retry: {attempts: 5, backoff: 2s, ceiling: 5m}
        idempotent: true
        idempotency: true
        """

    @Test("a good file is read whole")
    func good() throws {
        let (result, problems) = read(ManifestReaderTests.everything)
        #expect(problems == [])
        let manifest = try #require(result?.manifest)
        #expect(manifest.name == "script")
        #expect(manifest.file == "function.yaml")
        #expect(manifest.summary == "Writes scripts")
        #expect(
            manifest.routes == [
                .init(
                    method: "POST",
                    path: "/v1/users/{user}/scripts",
                    operation: "create",
                    async: true,
                    line: 5
                ),
                .init(method: "GET", path: "/v1/users/{user}/scripts", operation: "", line: 9),
            ]
        )
        #expect(
            manifest.streams == [
                .init(stream: "events:questionnaire.submitted", group: "script", batch: 10, line: 11)
            ]
        )
        #expect(
            manifest.lists == [.init(list: "orders", fromLeft: true, batch: 5, concurrency: 3, line: 13)]
        )
        #expect(manifest.channels == [.init(channel: "news.*", operation: "hear", buffer: 50, line: 14)])
        #expect(result?.schedules.count == 1)
        let limits = manifest.limits
        #expect(limits.timeout == .seconds(90))
        #expect(limits.firstByte == .seconds(5))
        #expect(limits.idle == .milliseconds(250))
        #expect(limits.grace == .seconds(60))
        #expect(limits.memoryMiB == 512)
        #expect(limits.cpuSeconds == 90)
        #expect(manifest.permissions.network && !manifest.permissions.fork)
        #expect(manifest.onDisconnect == .continue)
        #expect(limits.payload == 65_536)
        #expect([limits.perWorker, limits.maxInFlight, limits.queue, limits.openFiles] == [4, 8, 0, 128])
        #expect([manifest.scale.min, manifest.scale.max] == [1, 3])
        #expect(manifest.scale.idle == .seconds(3600))
        #expect(manifest.grants.map(\.binding) == ["text", "users"])
        #expect(manifest.environment == ["MODE": "quick", "COUNT": "3"])
        #expect(manifest.retry.attempts == 5)
        #expect(manifest.retry.backoff == .seconds(2))
        #expect(manifest.retry.ceiling == .seconds(300))
        #expect(manifest.idempotent && manifest.idempotencyKeys)
    }

    @Test("jobs have a concurrency, rates, an order and a time, of the function and of a key")
    func jobs() throws {
        let (result, problems) = read(
            """
            name: a
            retry: {recoveries: 3}
            jobs: {concurrency: 8, ordered: true, rate: 10/s, ratePerKey: 1/m, key: user, expires: 1h}
            """
        )
        #expect(problems == [])
        let manifest = try #require(result?.manifest)
        #expect(manifest.retry.recoveries == 3)
        #expect(manifest.jobs.concurrency == 8 && manifest.jobs.isOrdered && manifest.jobs.keyIsUser)
        #expect(manifest.jobs.rate == BucketRule(interval: 100_000, burst: 10))
        #expect(manifest.jobs.ratePerKey == BucketRule(interval: 60_000_000, burst: 1))
        #expect(manifest.jobs.expires == .seconds(3600))
        #expect(
            manifest.jobs.lane("k")
                == JobLanePolicy(perKey: 1, isOrdered: true, rate: manifest.jobs.ratePerKey)
        )
        #expect(manifest.jobs.lane("") == JobLanePolicy())
        let (_, faults) = read("name: a\njobs: {ordered: true, perKey: 2, rate: often, key: mine}")
        #expect(faults.count == 3, "\(faults)")
    }

    @Test("an end of a job is told to a function, a stream or a webhook, and to one of them")
    func destinations() throws {
        let (result, problems) = read(
            "name: a\nonSuccess: {function: b, operation: made}\nonFailure: {webhook: \"https://x.org/h\"}"
        )
        #expect(problems == [])
        #expect(result?.manifest.onSuccess == .function("b", operation: "made"))
        #expect(result?.manifest.onFailure == .webhook("https://x.org/h"))
        let (_, faults) = read(
            "name: a\nonSuccess: {function: b, stream: c}\nonFailure: {webhook: ftp://x}"
        )
        #expect(faults.count == 2, "\(faults)")
    }

    @Test("a name alone is enough, and all else has its default")
    func least() throws {
        let (result, problems) = read("name: a")
        #expect(problems == [])
        #expect(result?.manifest.limits == Manifest.Limits())
        #expect(result?.manifest.scale == Manifest.Scale())
        #expect(result?.manifest.retry == Manifest.Retry())
    }

    @Test("a stream, a list and a channel do not stand in one trigger, and each has its own keys")
    func oneKind() {
        let (_, problems) = read(
            """
            name: a
            triggers:
              redis:
                - {stream: a, list: b}
                - {list: b, group: c}
                - {channel: c, buffer: 0}
                - {batch: 4}
            """
        )
        #expect(problems.map(\.line) == [4, 5, 6, 7])
        #expect(problems.first?.message.contains("`stream` and `list` stand together") == true)
    }

    @Test("ten faults are told at once, each with its line and what to do")
    func tenFaults() {
        let (result, problems) = read(
            """
            name: Bad Name
            triggers:
              http:
                - method: FETCH
                  path: /a
                - path: /b
                - {method: GET, path: no-slash}
                - {method: GET, path: /_swiftlet/x}
            limits:
              timeout: soon
              memory: 1MiB
              perWorker: none
            scale: {min: 5, max: 2}
            bindings: [txt]
            idempotent: perhaps
            """
        )
        #expect(result == nil)
        let lines = problems.map(\.line)
        #expect(lines == [1, 4, 6, 7, 8, 10, 11, 12, 13, 14, 15], "\(problems.map(\.description))")
        #expect(problems.allSatisfy { !$0.hint.isEmpty && !$0.message.isEmpty && $0.file == "function.yaml" })
        #expect(problems.contains { $0.hint == "did you mean text?" })
        #expect(problems.contains { $0.message.hasPrefix("limits.timeout: ") })
        #expect(problems.first?.description.hasPrefix("function.yaml:1: ") == true)
    }

    @Test("an unknown key is told with its line and the key that was meant")
    func unknownKey() {
        let (result, problems) = read("name: a\nlimits:\n  timout: 3s\ncolour: red\n")
        #expect(result != nil)
        #expect(problems.map(\.line) == [3, 4])
        #expect(problems.first?.message == "limits.timout: unknown key")
        #expect(problems.first?.hint == "did you mean timeout?")
        #expect(problems.last?.hint.hasPrefix("known keys: ") == true)
    }

    @Test(
        "broken YAML, an empty file, a list and a key that stands twice are told, where they are",
        arguments: [
            ("name: a\nlimits: [1, 2\n", 3), ("", nil), ("- a\n", 1), ("name: a\nname: b\n", 2),
            ("# nothing\n", nil),
        ] as [(String, Int?)]
    )
    func broken(_ text: String, _ line: Int?) {
        let (result, problems) = read(text)
        #expect(result == nil)
        #expect(!problems.isEmpty)
        if let line { #expect((problems.first?.line ?? 0) >= line - 1) }
    }

    @Test("a WebSocket path is read whole, with its defaults, and its faults are told")
    func webSockets() {
        let (result, problems) = read(
            """
            name: chat
            triggers:
              websocket:
                - {path: "/v1/rooms/{room}", operation: talk, subprotocols: [chat.v2, chat], origins: ["https://App.example", "*"],
                   maxMessage: 1MiB, maxRate: 5, idle: 90s, maxConnections: 7}
                - path: /v1/ws
            bindings: [connections]
            """
        )
        #expect(problems == [])
        var room = Manifest.WebSocket(path: "/v1/rooms/{room}", operation: "talk", line: 4)
        room.subprotocols = ["chat.v2", "chat"]
        room.origins = ["https://app.example", "*"]
        room.maxMessage = 1 << 20
        room.maxRate = 5
        room.idle = .seconds(90)
        room.maxConnections = 7
        #expect(result?.manifest.webSockets == [room, Manifest.WebSocket(path: "/v1/ws", line: 6)])
        let (_, faults) = read(
            """
            name: chat
            triggers:
              websocket:
                - operation: talk
                - path: /_swiftlet/x
                - path: /ok
                  subprotocols: ["a b"]
                  origins: [app.example]
                  maxRate: 0
            """
        )
        #expect(faults.map(\.line) == [4, 5, 7, 8, 9], "\(faults.map(\.description))")
    }

    @Test("the broker is granted to trading alone")
    func broker() {
        #expect(read("name: trading\nbindings: [broker]").problems.isEmpty)
        let (_, problems) = read("name: motto\nbindings: [broker]")
        #expect(problems.map(\.line) == [2])
    }

    @Test(
        "durations",
        arguments: [
            ("250ms", .milliseconds(250)), ("30s", .seconds(30)), ("5m", .seconds(300)),
            ("1h", .seconds(3600)),
            ("2d", .seconds(172_800)), ("0s", .zero), ("5", nil), ("s", nil), ("", nil), ("-1s", nil),
            ("1.5s", nil),
            ("1 s", nil), ("1S", nil), ("99999999999999999999s", nil), ("٣s", nil),
        ] as [(String, Duration?)]
    )
    func durations(_ text: String, _ expected: Duration?) {
        #expect(parseDuration(text) == expected)
    }

    @Test(
        "sizes",
        arguments: [
            ("4096", 4096), ("1B", 1), ("64KiB", 65_536), ("16MiB", 16 << 20), ("1GiB", 1 << 30), ("0", 0),
            ("1KB", nil),
            ("", nil), ("KiB", nil), ("-1", nil), ("1.5MiB", nil), ("1099511627775GiB", nil),
            ("99999999999999999999", nil),
        ] as [(String, Int?)]
    )
    func sizes(_ text: String, _ expected: Int?) {
        #expect(parseSize(text) == expected)
    }

    @Test(
        "the nearest word is suggested only where it is near",
        arguments: [
            ("timout", "timeout"), ("Timeout", "timeout"), ("qeue", "queue"), ("colour", nil), ("", nil),
        ] as [(String, String?)]
    )
    func suggestions(_ word: String, _ expected: String?) {
        #expect(nearest(word, ["timeout", "queue", "memory"]) == expected)
    }
}
