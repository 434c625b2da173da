import FunctionCore
import Synchronization

// The bindings that make things: text, images, speech, render.

extension FakeBindings {
    /// Answers `text.complete` and `text.stream`; the second argument counts the questions from 1.
    public func onText(_ complete: @escaping @Sendable (CompletionRequest, Int) async throws -> Completion) {
        world.withLock { $0.complete = complete }
    }

    /// Answers every question with what the closure makes of it, as an offline model that stopped of its own
    /// accord.
    public func onText(_ complete: @escaping @Sendable (CompletionRequest) -> String) {
        onText { request, _ in
            Completion(
                text: complete(request),
                finishReason: "stop",
                model: "fake",
                offline: true,
                usage: nil
            )
        }
    }

    /// Answers `images.generate`; without it, each picture is a PNG of one pixel.
    public func onImages(_ picture: @escaping @Sendable (ImageRequest) async throws -> (ImageInfo, Bytes)) {
        world.withLock { $0.picture = picture }
    }

    /// Lets the voice take that many times as long as its rate says.
    public func setDrawl(_ drawl: Double) {
        world.withLock { $0.drawl = drawl }
    }

    func text(_ request: BindingRequest) async throws -> BindingReply {
        let question = try JSONCoder.decode(CompletionRequest.self, from: request.arguments)
        let (complete, count) = world.withLock { world in
            world.completions += 1
            return (world.complete, world.completions)
        }
        guard let complete else { throw FakeBindings.unknown(request) }
        let answer = try await complete(question, count)
        switch request.method {
        case "complete": return try FakeBindings.reply(answer)
        case "stream":
            let head = CompletionHead(model: answer.model, offline: answer.offline)
            let pieces = FakeBindings.words(of: answer.text).map { Bytes($0) }
            return BindingReply(value: try JSONCoder.encode(head), body: FakeBindings.body(pieces))
        default: throw FakeBindings.unknown(request)
        }
    }

    /// A text cut after each space.
    private static func words(of text: String) -> [String] {
        var words: [String] = []
        var word = ""
        for character in text {
            word.append(character)
            if character == " " {
                words.append(word)
                word = ""
            }
        }
        return word.isEmpty ? words : words + [word]
    }

    func images(_ request: BindingRequest) async throws -> BindingReply {
        guard request.method == "generate" else { throw FakeBindings.unknown(request) }
        let wanted = try JSONCoder.decode(ImageRequest.self, from: request.arguments)
        let info: ImageInfo
        let bytes: Bytes
        if let picture = world.withLock({ $0.picture }) {
            (info, bytes) = try await picture(wanted)
        } else {
            info = ImageInfo(
                contentType: "image/png",
                width: 1,
                height: 1,
                model: "fake",
                offline: true,
                revisedPrompt: nil
            )
            bytes = FakeBindings.pixel
        }
        return BindingReply(value: try JSONCoder.encode(info), body: FakeBindings.body([bytes]))
    }

    /// A PNG of one pixel.
    public static let pixel =
        Bytes(
            base64:
                "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q"
                + "DwADhgGAWjR9awAAAABJRU5ErkJggg=="
        ) ?? Bytes()

    func speech(_ request: BindingRequest) throws -> BindingReply {
        guard request.method == "speak" else { throw FakeBindings.unknown(request) }
        let wanted = try JSONCoder.decode(SpeechRequest.self, from: request.arguments)
        let words = wanted.text.split(separator: " ").count
        return try world.withLock { world in
            let seconds = Double(words) * 60 / Double(wanted.wordsPerMinute ?? 160) * world.drawl
            _ = world.store(wanted.key, Bytes("RIFF \(wanted.text)"), "audio/wav")
            return try FakeBindings.reply(SpeechClip(key: wanted.key, seconds: seconds, offline: true))
        }
    }

    func render(_ request: BindingRequest) throws -> BindingReply {
        guard request.method == "video" else { throw FakeBindings.unknown(request) }
        let wanted = try JSONCoder.decode(RenderRequest.self, from: request.arguments)
        let captions = wanted.key.hasSuffix(".mp4") ? String(wanted.key.dropLast(4)) : wanted.key
        let film = world.withLock { world in
            RenderedVideo(
                video: world.store(wanted.key, Bytes("mp4 \(wanted.scenes.count)"), "video/mp4"),
                captions: world.store(captions + ".srt", Bytes("srt"), "application/x-subrip"),
                seconds: wanted.scenes.map(\.seconds).reduce(0, +)
            )
        }
        var lines: [Bytes] = []
        for step in 0..<4 {
            lines.append(try JSONCoder.encode(RenderStep(fraction: Double(step) / 4)))
        }
        lines.append(try JSONCoder.encode(RenderStep(fraction: 1, result: film)))
        return BindingReply(value: "{}", body: FakeBindings.body(lines.map { Bytes($0.array + [10]) }))
    }
}
