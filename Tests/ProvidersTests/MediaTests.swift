import FunctionCore
import Glibc
import Processes
import Synchronization
import Testing

@testable import Providers

@Suite(.timeLimit(.minutes(1)))
struct MediaTests {
    private let media = FileMedia()
    private var scratch: Scratch { Scratch(below: media.directory + "/scratch") }

    private var leftovers: Int {
        var count = 0
        guard let directory = opendir(media.directory + "/scratch") else { return 0 }
        while readdir(directory) != nil { count += 1 }
        closedir(directory)
        return count - 2
    }

    private func speak(_ text: String, _ key: String, voice: String? = nil) async throws -> SpeechClip {
        let answer = RecordedAnswer()
        let service = SpeechService(media: media, scratch: scratch)
        try await service.call(
            callOf("speak", SpeechRequest(text: text, voice: voice, key: key)),
            answer: answer
        )
        return try JSONCoder.decode(SpeechClip.self, from: answer.value)
    }

    @Test("speech is a WAV file as long as it says")
    func speech() async throws {
        let clip = try await speak("Guten Tag; $(echo no) `shell` -x", "temp/a.wav", voice: "de")
        #expect(clip.offline && clip.seconds > 1 && clip.seconds < 10)
        let bytes = try await ScratchDirectory.read(media.path("temp/a.wav"), limit: 10_000_000)
        let header = try #require(WAVHeader(bytes))
        #expect(header.channels == 1 && header.bitsPerSample == 16)
        #expect(abs(header.dataSize + 44 - bytes.count) < 64)
        #expect(leftovers == 0)
    }

    @Test("an unknown voice is refused with some that there are")
    func voices() async throws {
        for voice in ["klingon", "../en", "en+a+b", "-x"] {
            let error = await failure { _ = try await speak("Hello", "temp/a.wav", voice: voice) }
            #expect(error?.code == "unknown_voice")
            #expect(error?.message.contains("en-us") == true)
        }
        #expect(
            await failure { _ = try await speak(" ", "outputs/a.wav") }?.faults.map(\.path) == [
                "text", "key",
            ]
        )
    }

    @Test("a film of two scenes is H.264 and AAC, as long as its scenes, with captions beside it")
    func film() async throws {
        let clip = try await speak(
            "One two three four five six seven. And a second sentence, longer.",
            "temp/n.wav"
        )
        media.put("p.png", OfflinePicture(seed: 3).png(width: 512, height: 512))
        let scenes = [
            RenderScene(
                seconds: 2.5,
                title: "It's 100% \"quoted\": a, b; [c]",
                caption: "First, {\\an8} a sentence. And <b>another</b>: 'it''s' here!",
                narration: clip.key,
                picture: nil
            ),
            RenderScene(
                seconds: 1.73,
                title: nil,
                caption: "Second scene.",
                narration: nil,
                picture: "p.png"
            ),
        ]
        let answer = RecordedAnswer()
        let service = RenderService(media: media, scratch: scratch)
        let request = RenderRequest(width: 320, height: 180, scenes: scenes, key: "outputs/film.mp4")
        try await service.call(callOf("video", request, time: .seconds(50)), answer: answer)
        let lines = answer.body.text.split(separator: "\n")
        let steps = try lines.map { try JSONCoder.decode(RenderStep.self, from: Bytes(String($0))) }
        #expect(steps.count == 3)
        #expect(steps.map(\.fraction) == steps.map(\.fraction).sorted())
        let result = try #require(steps.last?.result)
        #expect(abs(result.seconds - 4.23) <= 0.1)
        #expect(result.video.key == "outputs/film.mp4" && result.captions.key == "outputs/film.srt")
        let output = try await ChildProcess.run(
            ChildSpec("ffprobe", FilmProbe.arguments(media.path("outputs/film.mp4"))),
            timeout: .seconds(10)
        )
        let probe = try #require(FilmProbe(output.output))
        #expect(probe.codecs == ["h264", "aac"])
        #expect(probe.width == 320 && probe.height == 180)
        let captions = try await ScratchDirectory.read(media.path("outputs/film.srt"), limit: 10_000).text
        #expect(captions.hasPrefix("1\n00:00:00,000 --> 00:00:"))
        #expect(captions.hasSuffix("--> 00:00:04,240\nSecond scene.\n\n"))
        // The index comes before the sound and the pictures.
        let bytes = try await ScratchDirectory.read(media.path("outputs/film.mp4"), limit: 100_000).array
        let index = try #require(bytes.firstRange(of: Array("moov".utf8)))
        let content = try #require(bytes.firstRange(of: Array("mdat".utf8)))
        #expect(index.lowerBound < content.lowerBound)
        #expect(leftovers == 0)
    }

    @Test("a cancelled film kills its children and leaves nothing behind")
    func cancellation() async throws {
        let service = RenderService(media: media, scratch: scratch)
        let scene = RenderScene(seconds: 300, title: nil, caption: "", narration: nil, picture: nil)
        let request = RenderRequest(width: 1280, height: 720, scenes: [scene], key: "outputs/film.mp4")
        let call = try callOf("video", request)
        let task = Task { try await service.call(call, answer: RecordedAnswer()) }
        let scratchPath = media.directory + "/scratch"
        try await eventually {
            var found: glob_t = glob_t()
            defer { globfree(&found) }
            return glob(scratchPath + "/work-*/scene0.mov", 0, nil, &found) == 0
        }
        let start = Monotonic.now
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(Monotonic.now - start < .seconds(5))
        #expect(leftovers == 0)
    }

    @Test("a blob that is missing or is something else is named")
    func blobs() async throws {
        media.put("list.png", "#EXTM3U\nhttp://127.0.0.1/x")
        let service = RenderService(media: media, scratch: scratch)
        func error(_ narration: String?, _ picture: String?) async -> FunctionError? {
            let scene = RenderScene(
                seconds: 1,
                title: nil,
                caption: "",
                narration: narration,
                picture: picture
            )
            return await failure {
                let call = try callOf("video", RenderRequest(scenes: [scene], key: "x.mp4"))
                try await service.call(call, answer: RecordedAnswer())
            }
        }
        #expect(await error("no.wav", nil)?.code == "no_such_blob")
        #expect(await error(nil, "list.png")?.faults.map(\.path) == ["scenes[0].picture"])
        #expect(await error("list.png", nil)?.faults.map(\.path) == ["scenes[0].narration"])
        #expect(leftovers == 0)
    }

    @Test("a film's faults are all told, and its frames add up")
    func plan() async throws {
        let bad = RenderScene(seconds: -1, title: nil, caption: "", narration: nil, picture: nil)
        let error = await failure {
            _ = try FilmPlan(RenderRequest(width: 63, height: 2000, scenes: [bad], key: ""))
        }
        #expect(error?.faults.map(\.path) == ["width", "height", "key", "scenes[0].seconds"])
        let scene = RenderScene(seconds: 1.01, title: nil, caption: "", narration: nil, picture: nil)
        let plan = try FilmPlan(RenderRequest(scenes: Array(repeating: scene, count: 100), key: "x.mp4"))
        #expect(plan.frames.reduce(0, +) == 2525)
        #expect(plan.captionsKey == "x.srt")
    }

    @Test("a narration is spoken faster to fit, at most twice as fast")
    func tempo() {
        var command = SceneCommand(width: 64, height: 64, frames: 50, titleFiles: [], seed: 1, output: "o")
        #expect(command.tempo == 1)
        for (seconds, tempo) in [(1.0, 1.0), (3.0, 1.5), (9.0, 2.0)] {
            command.narration = ("n", seconds)
            #expect(command.tempo == tempo)
        }
    }

    @Test("titles are broken into lines that fit")
    func titles() {
        let long = SceneCommand.titleLines(String(repeating: "word ", count: 40), width: 320, height: 180)
        #expect(long.count == 3 && long[2].hasSuffix("…"))
        #expect(SceneCommand.titleLines("", width: 320, height: 180).isEmpty)
    }

    @Test("a waiting room lets one in at a time, in order, and sends the surplus away")
    func room() async throws {
        let room = WaitingRoom(atOnce: 1, seats: 2)
        let order = Noted()
        let gate = Mutex(false)
        let first = Task {
            try await room.run { try await eventually { gate.withLock { $0 } } }
        }
        try await eventually { room.load.inside == 1 }
        var waiting: [Task<Void, any Error>] = []
        for number in 0..<2 {
            let note: @Sendable () -> Void = { order.append(number) }
            waiting.append(Task { try await room.run { note() } })
            try await eventually { room.load.waiting == number + 1 }
        }
        #expect(await failure { try await room.run {} }?.code == "overloaded")
        waiting[0].cancel()
        await #expect(throws: CancellationError.self) { try await waiting[0].value }
        gate.withLock { $0 = true }
        try await first.value
        try await waiting[1].value
        #expect(order.all == [1])
        #expect(room.load == (0, 0))
    }
}

/// Numbers in the order in which they were noted.
private final class Noted: Sendable {
    private let numbers = Mutex<[Int]>([])
    var all: [Int] { numbers.withLock { $0 } }
    func append(_ number: Int) { numbers.withLock { $0.append(number) } }
}
