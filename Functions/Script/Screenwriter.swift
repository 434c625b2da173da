import FunctionCore

/// Gets a script out of a model: asks, checks, and has it repaired at most twice.
struct Screenwriter: Sendable {
    /// The first question and two repairs.
    ///
    /// A model that cannot do it in three will not in thirty.
    static let mostCalls = 3

    let text: TextBinding
    let log: Logger

    /// What came of it.
    struct Result: Sendable {
        var draft: ScriptDraft
        var model: String
        var offline: Bool
        var calls: Int
    }

    /// A script that fits the plan.
    /// - Throws: `FunctionError`: `invalid_output` 502 naming what is still wrong after the repairs,
    ///   `output_truncated` 502 for an answer that was cut off, `content_policy` 422, and what the
    ///   binding throws.
    func write(_ request: ScriptRequest, _ plan: ScenePlan, _ facts: StoryFacts) async throws -> Result {
        let prompt = ScriptPrompt(request, plan: plan, facts: facts)
        var messages = prompt.messages
        var faults: [String] = []
        for call in 1...Screenwriter.mostCalls {
            try Task.checkCancellation()
            let completion = try await text.complete(
                CompletionRequest(
                    messages: messages,
                    schema: ScriptPrompt.schema,
                    schemaName: "script",
                    user: "user-\(request.user)"
                )
            )
            try Screenwriter.checkEnd(completion)
            let draft = ScriptDraft(completion.text, plan: plan)
            if draft.faults.isEmpty {
                return Result(draft: draft, model: completion.model, offline: completion.offline, calls: call)
            }
            faults = draft.faults
            log.warning("the model's script breaks rules", ["call": "\(call)", "faults": "\(faults.count)"])
            messages = prompt.repair(completion.text, faults)
        }
        let shown = faults.prefix(5).joined(separator: "; ")
        let more = faults.count > 5 ? "; and \(faults.count - 5) more" : ""
        throw FunctionError(
            status: 502,
            code: "invalid_output",
            message: "the model gave no valid script in \(Screenwriter.mostCalls) calls: \(shown)\(more)",
            retry: .never
        )
    }

    private static func checkEnd(_ completion: Completion) throws(FunctionError) {
        switch completion.finishReason {
        case "length":
            throw FunctionError(
                status: 502,
                code: "output_truncated",
                message:
                    "the model's answer was cut off at its length limit; ask for fewer seconds or scenes",
                retry: .never
            )
        case "content_filter":
            throw FunctionError(
                status: 422,
                code: "content_policy",
                message: "the model's provider refused to write about these answers",
                retry: .never
            )
        default: return
        }
    }
}
