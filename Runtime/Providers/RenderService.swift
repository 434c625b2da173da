import FunctionCore
import Glibc
import Invocations
import Processes

/// The binding `render`: films by ffmpeg, scene by scene, as children of the host.
///
/// One film at a time by default, because an encoder takes a whole core; others wait in order. Memory stays
/// that of one scene, whatever the length. What comes out is measured by ffprobe before anybody sees it.
package final class RenderService: BindingService {
    package struct Tools: Sendable {
        package var ffmpeg = "ffmpeg"
        package var ffprobe = "ffprobe"
        /// The file of the titles' face; nil for fontconfig's choice.
        package var font: String? = ["DejaVuSans-Bold.ttf", "DejaVuSans.ttf"]
            .map { "/usr/share/fonts/truetype/dejavu/\($0)" }
            .first { access($0, R_OK) == 0 }

        package init() {}
    }

    package let binding = "render"
    /// How many films wait at most.
    private static let waiting = 32
    private let media: any MediaStore
    private let scratch: Scratch
    private let tools: Tools
    private let room: WaitingRoom

    package init(media: any MediaStore, scratch: Scratch, atOnce: Int = 1, tools: Tools = Tools()) {
        self.media = media
        self.scratch = scratch
        self.tools = tools
        self.room = WaitingRoom(atOnce: atOnce, seats: RenderService.waiting)
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        guard call.method == "video" else { throw call.unknownMethod(of: binding) }
        let plan = try FilmPlan(call.decode(RenderRequest.self))
        try answer.send(Bytes("{}"))
        try await room.run {
            try await scratch.with { directory in
                try await render(plan, in: directory, until: call.origin.deadline, answer)
            }
        }
    }

    private func render(
        _ plan: FilmPlan,
        in directory: ScratchDirectory,
        until deadline: Monotonic,
        _ answer: any BindingAnswering
    ) async throws {
        var captions = CaptionTrack()
        var done = 0
        let total = plan.frames.reduce(0, +)
        for index in plan.request.scenes.indices {
            let (command, track) = try await prepare(plan, index, in: directory)
            try await run(
                tools.ffmpeg,
                command.arguments,
                in: directory,
                until: deadline,
                stage: "scene \(index + 1)"
            )
            captions.append(track, after: Double(done) / Double(SceneCommand.framesPerSecond))
            done += plan.frames[index]
            try await report(RenderStep(fraction: 0.95 * Double(done) / Double(total)), answer)
        }
        let list = plan.request.scenes.indices.map { "file scene\($0).mov\n" }.joined()
        try await directory.write("scenes.txt", list)
        try await directory.write("film.srt", captions.subRip)
        try await run(tools.ffmpeg, RenderService.join, in: directory, until: deadline, stage: "joining")
        let probed = try await run(
            tools.ffprobe,
            FilmProbe.arguments("film.mp4"),
            in: directory,
            until: deadline,
            stage: "measuring"
        )
        guard let probe = FilmProbe(probed) else {
            throw RenderService.failed("measuring", "ffprobe cannot read the film")
        }
        if let fault = probe.fault(plan) { throw RenderService.failed("measuring", fault) }
        let video = try await media.adopt(
            file: directory.path("film.mp4"),
            as: plan.request.key,
            contentType: "video/mp4"
        )
        let text = try await media.adopt(
            file: directory.path("film.srt"),
            as: plan.captionsKey,
            contentType: "application/x-subrip"
        )
        let result = RenderedVideo(video: video, captions: text, seconds: probe.seconds)
        try await report(RenderStep(fraction: 1, result: result), answer)
    }

    /// The sound is encoded over the whole film, so that no scene's end clicks; the index goes first.
    private static let join = [
        "-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-f", "concat", "-safe", "1", "-i",
        "scenes.txt",
        "-c:v", "copy", "-c:a", "aac", "-b:a", "96k", "-threads", "1", "-map_metadata", "-1", "-fflags",
        "+bitexact",
        "-flags:a", "+bitexact", "-movflags", "+faststart", "film.mp4",
    ]

    // MARK: - Preparing a scene

    private func prepare(
        _ plan: FilmPlan,
        _ index: Int,
        in directory: ScratchDirectory
    ) async throws -> (SceneCommand, CaptionTrack) {
        let scene = plan.request.scenes[index]
        var command = SceneCommand(
            width: plan.request.width,
            height: plan.request.height,
            frames: plan.frames[index],
            titleFiles: [],
            font: tools.font,
            seed: 0,
            output: "scene\(index).mov"
        )
        var seed = OfflineSeed("\(index)\u{0}\(scene.title ?? "")\u{0}\(scene.caption)")
        command.seed = seed.next()
        if let key = scene.narration {
            command.narration = try await narration(key, index, in: directory)
        }
        if let key = scene.picture {
            command.picture = try await picture(key, index, in: directory)
        }
        let size = (plan.request.width, plan.request.height)
        for (line, text) in SceneCommand.titleLines(scene.title ?? "", width: size.0, height: size.1)
            .enumerated()
        {
            let file = "title\(index)-\(line).txt"
            try await directory.write(file, text)
            command.titleFiles.append(file)
        }
        let spoken =
            command.narration.map { min($0.seconds / command.tempo, command.seconds) } ?? command.seconds
        let track = CaptionTrack(scene.caption, seconds: spoken)
        if !track.cues.isEmpty {
            let file = "caption\(index).srt"
            try await directory.write(file, track.plainSubRip)
            command.captionFile = file
        }
        return (command, track)
    }

    private func narration(
        _ key: String,
        _ index: Int,
        in directory: ScratchDirectory
    ) async throws -> (file: String, seconds: Double) {
        let path = try await path(key, "scenes[\(index)].narration")
        guard let header = WAVHeader(try await ScratchDirectory.read(path, limit: 65_536)) else {
            throw FunctionError.invalid(
                "scenes[\(index)].narration",
                "format",
                "the blob \(key) is no WAV file"
            )
        }
        let file = "narration\(index).wav"
        try await directory.link(path, as: file)
        return (file, header.seconds)
    }

    /// ffmpeg reads many things that are no pictures, playlists of URLs among them, so the bytes are looked
    /// at first.
    private func picture(_ key: String, _ index: Int, in directory: ScratchDirectory) async throws -> String {
        let path = try await path(key, "scenes[\(index)].picture")
        guard let format = PictureFormat(try await ScratchDirectory.read(path, limit: 262_144)) else {
            throw FunctionError.invalid(
                "scenes[\(index)].picture",
                "format",
                "the blob \(key) is no PNG, JPEG or WebP"
            )
        }
        let file = "picture\(index).\(format.fileExtension)"
        try await directory.link(path, as: file)
        return file
    }

    private func path(_ key: String, _ field: String) async throws -> String {
        do {
            return try await media.localPath(forReading: key)
        } catch let error as FunctionError where error.status == 404 {
            throw FunctionError(
                status: 422,
                code: "no_such_blob",
                message: "\(field) names the blob \(key), which does not exist",
                retry: .never
            )
        }
    }

    // MARK: - Children

    @discardableResult
    private func run(
        _ tool: String,
        _ arguments: [String],
        in directory: ScratchDirectory,
        until deadline: Monotonic,
        stage: String
    ) async throws -> Bytes {
        let remaining = deadline - Monotonic.now
        guard remaining > .zero else { throw RenderService.failed(stage, "the invocation's time was over") }
        let output: ChildOutput
        do {
            let spec = ChildSpec(tool, arguments, directory: directory.path)
            output = try await ChildProcess.run(spec, timeout: remaining)
        } catch let error as SpawnError {
            throw RenderService.failed(stage, "\(error)")
        }
        try Task.checkCancellation()
        guard output.status.succeeded else {
            let words =
                output.timedOut ? "it took too long" : OfflineText.trimmed(output.errors.text.suffix(500))
            throw RenderService.failed(stage, words.isEmpty ? "\(output.status)" : words)
        }
        return output.output
    }

    private func report(_ step: RenderStep, _ answer: any BindingAnswering) async throws {
        try await answer.write(Bytes(try JSONCoder.encode(step).array + [10]))
    }

    private static func failed(_ stage: String, _ words: String) -> FunctionError {
        FunctionError(status: 502, code: "render_failed", message: "the film failed at \(stage): \(words)")
    }
}
