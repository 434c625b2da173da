import FunctionCore

/// Speaks the scenes, each no longer than its scene lasts.
struct Narrator: Sendable {
    /// Takes of one scene: at the rate asked for, then faster by what was too long, twice at most, since no
    /// voice keeps exactly to its rate.
    private static let takes = 3

    let speech: SpeechBinding
    /// Where the clips go; the folder is emptied when the job ends.
    let folder: String
    /// The voices to try, nil for the provider's own.
    ///
    /// The first that is known speaks the whole film.
    private var voices: [String?]
    private let rate: Int

    /// A narrator for one film: in the voice asked for, or else in the one of the script's language.
    init(speech: SpeechBinding, folder: String, request: VideoRequest, language: String) {
        self.speech = speech
        self.folder = folder
        rate = request.rate
        if let voice = request.voice {
            voices = [voice]
        } else {
            let tag = language.lowercased()
            let base = tag.split(separator: "-").first.map { String($0) } ?? tag
            voices = tag == base ? [tag, nil] : [tag, base, nil]
        }
    }

    /// Speaks one scene; nil for a scene without words.
    /// - Throws: `FunctionError` 422 `narration_too_long` for what no rate makes short enough, and what the
    ///   binding throws.
    mutating func speak(_ scene: Screenplay.Scene, number: Int) async throws -> SpeechClip? {
        guard scene.isSpoken else { return nil }
        let key = "\(folder)/scene-\(number).wav"
        var rate = rate
        var clip: SpeechClip
        var take = 1
        while true {
            try Task.checkCancellation()
            clip = try await record(scene.narration, rate, key)
            if clip.seconds <= scene.seconds { return clip }
            guard take < Narrator.takes, rate < VideoRequest.rates.upperBound else { break }
            take += 1
            // 4 % more than the arithmetic asks for: pauses between sentences do not shrink with the rate.
            let faster = (Double(rate) * clip.seconds / scene.seconds * 1.04).rounded(.up)
            rate = min(Int(faster), VideoRequest.rates.upperBound)
        }
        throw FunctionError(
            status: 422,
            code: "narration_too_long",
            message: "scene \(number) lasts \(scene.seconds) seconds, but its narration takes "
                + "\((clip.seconds * 10).rounded() / 10) at \(rate) words a minute; shorten it",
            retry: .never
        )
    }

    /// Speaks a text once, in the first voice that is known.
    private mutating func record(_ text: String, _ rate: Int, _ key: String) async throws -> SpeechClip {
        while true {
            do {
                let request = SpeechRequest(text: text, voice: voices[0], wordsPerMinute: rate, key: key)
                return try await speech.speak(request)
            } catch let error as FunctionError where error.code == "unknown_voice" && voices.count > 1 {
                voices.removeFirst()
            }
        }
    }
}
