/// What an image model is asked.
public struct ImageRequest: Sendable, Codable {
    /// What the picture shows.
    public var prompt: String
    /// `1024x1024`, `1536x1024`, `1024x1536`.
    public var size: String
    /// The model; nil for the provider's own choice.
    public var model: String?

    /// A request.
    public init(prompt: String, size: String = "1024x1024", model: String? = nil) {
        self.prompt = prompt
        self.size = size
        self.model = model
    }
}

/// What an image model made; its bytes follow in the body.
public struct ImageInfo: Sendable, Codable {
    /// `image/png`, `image/jpeg` or `image/webp`, from the bytes themselves.
    public var contentType: String
    /// Pixels across.
    public var width: Int
    /// Pixels down.
    public var height: Int
    /// The model that made it.
    public var model: String
    /// Whether the offline provider made it.
    public var offline: Bool
    /// The prompt as the model rewrote it, where it says so.
    public var revisedPrompt: String?

    /// A description.
    public init(
        contentType: String,
        width: Int,
        height: Int,
        model: String,
        offline: Bool,
        revisedPrompt: String?
    ) {
        self.contentType = contentType
        self.width = width
        self.height = height
        self.model = model
        self.offline = offline
        self.revisedPrompt = revisedPrompt
    }
}

/// Image models, by OpenAI's images dialect.
public struct ImagesBinding: Sendable {
    let caller: any BindingCaller

    /// Makes one picture.
    ///
    /// The host fetches the bytes at once, under a size cap, and checks what they are.
    /// - Throws: `FunctionError`: `provider_unavailable`, `provider_rate_limited`, `content_policy`,
    ///   `provider_refused`, `bad_image` 502 for bytes that are no picture.
    public func generate(_ request: ImageRequest) async throws -> (info: ImageInfo, bytes: Bytes) {
        let reply = try await caller.reply("images", "generate", request)
        return (try JSONCoder.decode(ImageInfo.self, from: reply.value), try await reply.body.collect())
    }
}

/// What is to be spoken.
public struct SpeechRequest: Sendable, Codable {
    /// The text, at most 4096 characters.
    public var text: String
    /// The voice, such as `en` or `de`; nil for the provider's own choice.
    public var voice: String?
    /// 80 to 450; nil for 160.
    public var wordsPerMinute: Int?
    /// Where the WAV is stored; a blob key below `temp/`.
    public var key: String

    /// A request.
    public init(text: String, voice: String? = nil, wordsPerMinute: Int? = nil, key: String) {
        self.text = text
        self.voice = voice
        self.wordsPerMinute = wordsPerMinute
        self.key = key
    }
}

/// A stored narration.
public struct SpeechClip: Sendable, Codable {
    /// The blob it is in: RIFF WAV, 16 bit, mono.
    public var key: String
    /// How long it is.
    public var seconds: Double
    /// Whether the offline provider spoke.
    public var offline: Bool

    /// A clip.
    public init(key: String, seconds: Double, offline: Bool) {
        self.key = key
        self.seconds = seconds
        self.offline = offline
    }
}

/// Speech synthesis.
public struct SpeechBinding: Sendable {
    let caller: any BindingCaller

    /// Speaks a text into a blob.
    /// - Throws: `FunctionError`: `unknown_voice` 422, `speech_failed` 502.
    public func speak(_ request: SpeechRequest) async throws -> SpeechClip {
        try await caller.value("speech", "speak", request)
    }
}

/// One scene of a film.
public struct RenderScene: Sendable, Codable {
    /// How long it lasts; the narration is fitted into it.
    public var seconds: Double
    /// The heading drawn on it, or nil.
    public var title: String?
    /// What is spoken, for the captions.
    public var caption: String
    /// The blob of the narration, or nil for silence.
    public var narration: String?
    /// The blob of a picture behind it, or nil for a drawn ground.
    public var picture: String?

    /// A scene.
    public init(seconds: Double, title: String?, caption: String, narration: String?, picture: String?) {
        self.seconds = seconds
        self.title = title
        self.caption = caption
        self.narration = narration
        self.picture = picture
    }
}

/// What is to be rendered.
public struct RenderRequest: Sendable, Codable {
    /// Pixels across, even, 64 to 1920.
    public var width: Int
    /// Pixels down, even, 64 to 1920.
    public var height: Int
    /// The scenes in order; 1 to 120.
    public var scenes: [RenderScene]
    /// Where the mp4 is stored; captions go beside it as `.srt`.
    public var key: String

    /// A request.
    public init(width: Int = 640, height: Int = 360, scenes: [RenderScene], key: String) {
        self.width = width
        self.height = height
        self.scenes = scenes
        self.key = key
    }
}

/// A rendered film.
public struct RenderedVideo: Sendable, Codable {
    /// The film: mp4, H.264 and AAC, index first.
    public var video: BlobReference
    /// The captions: SubRip.
    public var captions: BlobReference
    /// How long the film is, as ffprobe measures it.
    public var seconds: Double

    /// A film.
    public init(video: BlobReference, captions: BlobReference, seconds: Double) {
        self.video = video
        self.captions = captions
        self.seconds = seconds
    }
}

/// One line of a rendering's answer: how far it is, and at last what came of it.
public struct RenderStep: Sendable, Codable {
    /// 0 to 1.
    public var fraction: Double
    /// The film, in the last line.
    public var result: RenderedVideo?

    /// A step.
    public init(fraction: Double, result: RenderedVideo? = nil) {
        self.fraction = fraction
        self.result = result
    }
}

/// Video rendering, by ffmpeg as the host's child.
public struct RenderBinding: Sendable {
    let caller: any BindingCaller

    /// Renders a film and stores it.
    ///
    /// `progress` hears fractions from 0 to 1 on the way.
    ///
    /// Cancellation: cancelling the task, or the invocation's end, kills the renderer with all its children.
    /// - Throws: `FunctionError`: `render_failed` 502 with the renderer's last words, `no_such_blob` 422.
    public func video(
        _ request: RenderRequest,
        progress: @Sendable (Double) async throws -> Void = { _ in }
    ) async throws -> RenderedVideo {
        let reply = try await caller.reply("render", "video", request)
        var pending: [UInt8] = []
        var result: RenderedVideo?
        for try await piece in reply.body {
            pending += piece.array
            while let end = pending.firstIndex(of: 10) {
                let step = try JSONCoder.decode(RenderStep.self, from: Bytes(Array(pending[..<end])))
                pending.removeSubrange(...end)
                result = step.result ?? result
                try await progress(step.fraction)
            }
        }
        guard let result else {
            throw FunctionError(
                status: 502,
                code: "render_failed",
                message: "the renderer ended without a film"
            )
        }
        return result
    }
}
