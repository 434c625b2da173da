import FunctionCore
import Synchronization
import FunctionTesting
import Testing

@testable import Video

@Suite("video", .timeLimit(.minutes(1)))
struct VideoTests {
    private let world = FakeBindings(grants: ["users", "blobs", "speech", "render", "emit", "progress"])
    private let function: VideoFunction
    private static let script: JSON = [
        "id": "script-a", "title": "The Kite", "language": "pt-BR",
        "scenes": [
            ["title": "One", "narration": "Mira has a red kite and a windy day.", "seconds": 5.0],
            ["title": "Two", "narration": "— …", "seconds": 2],
            ["title": "Three", "narration": "The kite comes home.", "seconds": 3.5],
        ],
    ]

    init() throws {
        function = try VideoFunction()
        world.store(7, "scripts", "script-a", Self.script)
    }

    private func create(_ members: JSONObject = [:], invocation: String = "job1") async throws -> JSON {
        var object: JSONObject = ["user": 7, "script": "script-a"]
        for (name, value) in members { object[name] = value }
        let context = world.context("video", invocation: invocation)
        return try JSON.parse(try await function.handle(plain("create", .object(object)), context).body)
    }

    private func generated(_ data: JSON, invocation: String) async throws -> JSON {
        let event = try redis("script.generated", data, operation: "generated")
        return try JSON.parse(
            try await function.handle(event, world.context("video", invocation: invocation)).body
        )
    }

    @Test("a film is narrated, rendered, stored under its job and told in one transaction")
    func film() async throws {
        let film = try await create(["width": 320, "height": 240])
        #expect(film["id"] == "job1" && film["script"] == "script-a" && film["title"] == "The Kite")
        #expect(
            film["key"] == "outputs/7/job1/video.mp4" && film["seconds"] == 10.5 && film["offline"] == true
        )
        #expect(film["captions"]?["key"] == "outputs/7/job1/video.srt")
        #expect(film["url"]?.stringValue?.contains("outputs/7/job1/video.mp4") == true)
        #expect(film["expires"] == .string((world.now + .seconds(60)).rfc3339))
        let stored = try #require(world.records(7, "videos").first?.value)
        #expect(stored["url"] == nil && stored["sha256"]?.stringValue?.count == 64)
        #expect(world.events.map(\.type) == ["video.ready"])
        #expect(world.events[0].data["video"] == "job1")
        #expect(world.calls("users.write").count == 1)
    }

    @Test("the renderer gets the scenes with their narrations, and silence for one without words")
    func rendering() async throws {
        _ = try await create()
        let arguments = try #require(world.calls("render.video").first?.arguments)
        let request = try JSONCoder.decode(RenderRequest.self, from: arguments)
        #expect(request.scenes.map(\.narration) == ["temp/job1/scene-1.wav", nil, "temp/job1/scene-3.wav"])
        #expect(request.scenes.map(\.seconds) == [5, 2, 3.5])
        #expect(request.width == 640 && request.height == 360)
        #expect(world.calls("speech.speak").allSatisfy { $0.arguments["voice"] == "pt-br" })
    }

    @Test("the stages come in their order, and percent never falls nor reaches 100 before the end")
    func progress() async throws {
        _ = try await create()
        let reports = world.reports
        var stages: [String] = []
        for report in reports where stages.last != report.stage { stages.append(report.stage) }
        #expect(stages == ["validate", "narrate", "compose", "finalize"])
        #expect(zip(reports, reports.dropFirst()).allSatisfy { $0.percent <= $1.percent })
        #expect(reports.first?.percent == 0 && reports.last?.percent == 99)
        #expect(reports.filter { $0.stage == "compose" }.map(\.percent) == [35, 48, 62, 76, 90])
        let order = world.calls.map(\.name)
        let write = try #require(order.firstIndex(of: "users.write"))
        let last = try #require(order.lastIndex(of: "progress.set"))
        #expect(write < last)
    }

    @Test("wild fractions of a renderer never make progress fall or pass its stage")
    func wildProgress() async throws {
        let film = RenderedVideo(
            video: BlobReference(key: "v", sha256: "0", size: 1, contentType: "video/mp4"),
            captions: BlobReference(key: "c", sha256: "0", size: 1, contentType: "text/plain"),
            seconds: 10.5
        )
        let steps =
            [0.5, 0.2, -3, 7, 0.9].map { RenderStep(fraction: $0) } + [RenderStep(fraction: 1, result: film)]
        let lines: [UInt8] = try steps.flatMap { step in try JSONCoder.encode(step).array + [10] }
        world.on("render.video") { _ in
            let sent = Counter()
            return BindingReply(value: "{}", body: BindingBody { sent.next() == 1 ? Bytes(lines) : nil })
        }
        _ = try await create()
        #expect(zip(world.reports, world.reports.dropFirst()).allSatisfy { $0.percent <= $1.percent })
        #expect(world.reports.filter { $0.stage == "compose" }.map(\.percent) == [35, 62, 90])
    }

    @Test("a film that cannot tell its progress is made all the same")
    func silentProgress() async throws {
        world.fail(
            "progress.set",
            with: FunctionError(status: 404, code: "no_job", message: "there is no job")
        )
        #expect(try await create()["id"] == "job1")
    }

    @Test("an attempt that is repeated finds the film of the first and renders nothing")
    func repeated() async throws {
        let first = try await create()
        let second = try await create()
        #expect(first == second)
        #expect(world.calls("render.video").count == 1 && world.records(7, "videos").count == 1)
        #expect(world.events.count == 1)
    }

    @Test("a generated script becomes a film of its own id, once, however often it is delivered")
    func redelivery() async throws {
        let data: JSON = ["user": 7, "script": "script-a", "seconds": 10.5]
        let first = try await generated(data, invocation: "i1")
        let second = try await generated(data, invocation: "i2")
        #expect(first == second && first["id"] == "script-a")
        #expect(first["key"] == "outputs/7/script-a/video.mp4")
        #expect(world.calls("render.video").count == 1)
        let escape = await failure { try await generated(["user": 7, "script": "../x"], invocation: "i3") }
        #expect(escape?.faults.first?.path == "data.script")
    }

    @Test("a narration that is too long is spoken again, as much faster as it takes")
    func faster() async throws {
        world.setDrawl(1.5)
        _ = try await create()
        let spoken = world.calls("speech.speak").map { call in
            "\(call.arguments["key"]?.stringValue ?? "") \(call.arguments["wordsPerMinute"]?.intValue ?? 0)"
        }
        #expect(
            spoken == ["temp/job1/scene-1.wav 160", "temp/job1/scene-1.wav 169", "temp/job1/scene-3.wav 160"]
        )
    }

    @Test(
        "without a voice for the script's language its base language speaks, else the provider's own voice"
    )
    func voices() async throws {
        let spoken = FakeBindings(now: world.now)
        spoken.store(7, "scripts", "script-a", Self.script)
        spoken.on("speech.speak", SpeechRequest.self) { request in
            guard request.voice == nil || request.voice == "en" else {
                throw FunctionError(status: 422, code: "unknown_voice", message: "no such voice")
            }
            return SpeechClip(key: request.key, seconds: 1, offline: true)
        }
        let context = spoken.context("video")
        _ = try await function.handle(plain("create", ["user": 7, "script": "script-a"]), context)
        let voices = spoken.calls("speech.speak").map { $0.arguments["voice"]?.stringValue ?? "own" }
        #expect(voices == ["pt-br", "pt", "own", "own"])
        let asked = plain("create", ["user": 7, "script": "script-a", "voice": "pt"])
        let other = spoken.context("video", invocation: "inv2")
        #expect(await failure { try await function.handle(asked, other) }?.code == "unknown_voice")
    }

    @Test("a narration that no rate makes short enough fails in its stage and names the scene")
    func tooLong() async {
        world.setDrawl(9)
        let error = await failure { try await create() }
        #expect(error?.code == "narration_too_long" && error?.retry == .never)
        #expect(
            error?.message.hasPrefix("narrate: scene 1 lasts 5.0 seconds, but its narration takes ") == true
        )
        #expect(world.calls("speech.speak").count <= 3 && world.calls("render.video").isEmpty)
    }

    @Test(
        "a failure names its stage, keeps its code, and leaves no record",
        arguments: [
            ("users.get", "validate", "boom"), ("speech.speak", "narrate", "boom"),
            ("render.video", "compose", "boom"), ("users.write", "finalize", "boom"),
        ]
    )
    func failures(call: String, stage: String, code: String) async {
        world.fail(call, with: FunctionError(status: 503, code: code, message: "it broke"))
        let error = await failure { try await create() }
        #expect(error?.status == 503 && error?.code == code && error?.message == "\(stage): it broke")
        #expect(world.records(7, "videos").isEmpty && world.events.isEmpty)
    }

    @Test("a renderer that ends without a film is a failure of composing")
    func noFilm() async {
        world.on("render.video") { _ in BindingReply(value: "{}") }
        let error = await failure { try await create() }
        #expect(error?.code == "render_failed" && error?.message.hasPrefix("compose: ") == true)
    }

    @Test("an error of no known kind gets the stage's own code")
    func strangeError() async {
        world.on("speech.speak") { _ in BindingReply(value: "[]") }
        let error = await failure { try await create() }
        #expect(error?.code == "speech_failed" && error?.message.hasPrefix("narrate: ") == true)
    }

    @Test("a script that is not there, or is none, fails in validation")
    func badScript() async {
        let missing = await failure { try await create(["script": "script-z"]) }
        #expect(missing?.status == 404)
        #expect(missing?.message == "validate: user 7 has no script \"script-z\"")
        world.store(7, "scripts", "script-x", ["scenes": [["narration": "x", "seconds": 0]]])
        let broken = await failure { try await create(["script": "script-x"]) }
        #expect(broken?.faults.map(\.path) == ["scenes[0].seconds"])
        #expect(world.calls("speech.speak").isEmpty)
    }

    @Test("all faults of a request are told at once")
    func faults() async {
        let error = await failure {
            try await create([
                "user": "me", "script": 3, "width": 641, "height": 2000, "voice": "", "rate": 20,
                "aspect": "4:3",
            ])
        }
        #expect(
            error?.faults.map(\.path) == ["user", "script", "aspect", "width", "height", "voice", "rate"]
        )
        #expect(world.calls.isEmpty)
    }

    @Test("the list gives each film a fresh URL")
    func list() async throws {
        _ = try await create()
        _ = try await create(["aspect": "9:16"], invocation: "job2")
        world.advance(.seconds(3600))
        let reply = try await function.handle(plain("list", ["user": 7]), world.context("video"))
        let list = try JSON.parse(reply.body)
        #expect(list["videos"]?.arrayValue?.map { $0["id"] } == ["job2", "job1"])
        #expect(list["videos"]?[0]?["height"] == 640)
        #expect(list["videos"]?[1]?["expires"] == .string((world.now + .seconds(60)).rfc3339))
        let one = try await function.handle(plain("get", ["user": 7, "id": "job1"]), world.context("video"))
        #expect(try JSON.parse(one.body)["url"] != nil)
        let other = plain("get", ["user": 8, "id": "job1"])
        #expect(await failure { try await function.handle(other, world.context("video")) }?.status == 404)
    }

    @Test("a cancelled job stops between its steps and is no failure of its own")
    func cancelled() async {
        let function = self.function
        let world = self.world
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await function.handle(
                plain("create", ["user": 7, "script": "script-a"]),
                world.context("video")
            )
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(world.calls("render.video").isEmpty)
    }
}

/// Counts calls from 1.
private final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock {
            $0 += 1
            return $0
        }
    }
}
