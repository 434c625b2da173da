import FunctionCore

/// Writes mottos for a prompt in one of the tones of the catalogue.
///
/// A model is asked for all of them at once; what it writes is cleaned, and what is too long or too like
/// another is asked for again with the reason, at most twice. Fewer than asked for after that is an error,
/// not a short answer.
public struct MottoFunction: AsyncFunction {
    /// How often the model is asked at most: once, and twice again.
    private static let rounds = 3
    /// How many more than are missing are asked for again.
    private static let spare = 2

    /// Nothing is kept between events.
    public init() {}

    /// Answers `{prompt, tone, count?, max_characters?}` with `{mottos: [{text, characters}], tone, offline,
    /// model}`.
    public func handle(_ event: Event, _ context: Context) async throws -> Reply {
        let request = try MottoRequest(event.object())
        var selection = MottoSelection(maximum: request.maxCharacters)
        var model = ""
        var offline = false
        for round in 1...MottoFunction.rounds {
            // Whoever is asked again has shown that some will be lost: a few to spare cost less than another
            // round.
            let wanted = request.count - selection.accepted.count + (round == 1 ? 0 : MottoFunction.spare)
            let question = MottoPrompt.question(request, count: wanted, after: selection)
            let completion = try await context.bindings.text.complete(question)
            model = completion.model
            offline = offline || completion.offline
            selection.take(MottoPrompt.candidates(in: completion.text), atMost: request.count)
            if selection.accepted.count >= request.count {
                return .json(result(request, selection, model: model, offline: offline))
            }
            context.log.info(
                "asking again for mottos",
                ["round": "\(round)", "accepted": "\(selection.accepted.count)", "of": "\(request.count)"]
            )
        }
        throw tooFew(request, selection)
    }

    private func result(
        _ request: MottoRequest,
        _ selection: MottoSelection,
        model: String,
        offline: Bool
    ) -> JSON {
        let mottos = selection.accepted.map { text -> JSON in
            ["text": .string(text), "characters": .integer(Int64(text.count))]
        }
        return [
            "mottos": .array(mottos), "tone": .string(request.tone.name), "offline": .bool(offline),
            "model": .string(model),
        ]
    }

    private func tooFew(_ request: MottoRequest, _ selection: MottoSelection) -> FunctionError {
        let reasons =
            selection.reasons.isEmpty ? "it wrote too few" : selection.reasons.joined(separator: "; ")
        return FunctionError(
            status: 502,
            code: "invalid_output",
            message:
                "the model wrote \(selection.accepted.count) of \(request.count) mottos that keep the rules "
                + "in \(MottoFunction.rounds) rounds (\(reasons)); ask for fewer, or raise max_characters"
        )
    }
}
