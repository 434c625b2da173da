import FunctionCore

/// Makes one film: validate, narrate, compose, finalize.
///
/// What fails names its stage.
struct FilmMaker: Sendable {
    static let collection = "videos"

    let context: Context
    let request: VideoRequest
    /// The film's id in the user's shard.
    let id: String

    private var users: UsersBinding { context.bindings.users }

    /// Makes the film, or finds the one that was made under this id before.
    func make() async throws -> JSON {
        let meter = ProgressMeter(context)
        await meter.report(.validate, 0)
        if let made = try await during(.validate, { try await users.get(request.user, Self.collection, id) })
        {
            context.log.info("the film was already made", ["video": id])
            return made.value
        }
        let play = try await during(.validate) { try await screenplay() }
        await meter.report(.validate, 1)
        let clips = try await during(.narrate) { try await narrate(play, meter) }
        let film = try await during(.compose) { try await compose(play, clips, meter) }
        return try await during(.finalize) { try await finalize(play, clips, film, meter) }
    }

    private func screenplay() async throws -> Screenplay {
        guard let record = try await users.get(request.user, "scripts", request.script) else {
            throw FunctionError.notFound("user \(request.user) has no script \"\(request.script)\"")
        }
        return try Screenplay(record.value)
    }

    private func narrate(_ play: Screenplay, _ meter: ProgressMeter) async throws -> [SpeechClip?] {
        var narrator = Narrator(
            speech: context.bindings.speech,
            folder: "temp/\(context.invocation)",
            request: request,
            language: play.language
        )
        await meter.report(.narrate, 0)
        var clips: [SpeechClip?] = []
        for (index, scene) in play.scenes.enumerated() {
            clips.append(try await narrator.speak(scene, number: index + 1))
            await meter.report(.narrate, Double(index + 1) / Double(play.scenes.count))
        }
        return clips
    }

    private func compose(
        _ play: Screenplay,
        _ clips: [SpeechClip?],
        _ meter: ProgressMeter
    ) async throws -> RenderedVideo {
        let scenes = zip(play.scenes, clips).map { scene, clip in
            RenderScene(
                seconds: scene.seconds,
                title: scene.title,
                caption: scene.narration,
                narration: clip?.key,
                picture: nil
            )
        }
        // The id stays over redeliveries and attempts, so that a second rendering overwrites the first.
        let key = "outputs/\(request.user)/\(id)/video.mp4"
        await meter.report(.compose, 0)
        return try await context.bindings.render.video(
            RenderRequest(width: request.width, height: request.height, scenes: scenes, key: key)
        ) { fraction in
            try Task.checkCancellation()
            await meter.report(.compose, fraction)
        }
    }

    private func finalize(
        _ play: Screenplay,
        _ clips: [SpeechClip?],
        _ film: RenderedVideo,
        _ meter: ProgressMeter
    ) async throws -> JSON {
        await meter.report(.finalize, 0)
        let record: JSON = [
            "id": .string(id),
            "user": .integer(Int64(request.user)),
            "script": .string(request.script),
            "title": .string(play.title),
            "key": .string(film.video.key),
            "sha256": .string(film.video.sha256),
            "size": .integer(Int64(film.video.size)),
            "content_type": .string(film.video.contentType),
            "captions": [
                "key": .string(film.captions.key),
                "sha256": .string(film.captions.sha256),
                "size": .integer(Int64(film.captions.size)),
            ],
            "seconds": .number(film.seconds),
            "width": .integer(Int64(request.width)),
            "height": .integer(Int64(request.height)),
            "scenes": .integer(Int64(play.scenes.count)),
            "offline": .bool(clips.allSatisfy { $0?.offline ?? true }),
            "created": .string(context.now.rfc3339),
        ]
        let event: JSON = [
            "user": .integer(Int64(request.user)), "video": .string(id), "script": .string(request.script),
            "key": .string(film.video.key), "seconds": .number(film.seconds),
        ]
        let result = try await users.write(
            request.user,
            [
                .create(collection: Self.collection, id: id, value: record),
                .emit(OutgoingEvent(type: "video.ready", data: event, id: "ready-\(request.user)-\(id)")),
            ]
        )
        await meter.report(.finalize, 1)
        return result.records.first?.value ?? record
    }

    /// Carries out a stage; its failure bears the stage's name.
    private func during<Value>(_ stage: Stage, _ work: () async throws -> Value) async throws -> Value {
        do {
            try Task.checkCancellation()
            return try await work()
        } catch {
            throw stage.naming(error)
        }
    }
}
