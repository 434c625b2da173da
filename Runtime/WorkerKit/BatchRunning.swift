import FunctionCore
import Wire

extension Handler {
    /// The reply to an event or to a batch of them, by a handler that takes several.
    static func run(
        _ event: Event,
        _ handle: ([Event]) async throws -> [Result<Reply, FunctionError>]
    ) async throws -> Reply {
        let events = event.kind == .batch ? try BatchPayload.events(in: event.body) : [event]
        let results = try await handle(events)
        guard results.count == events.count else {
            throw FunctionError(
                code: "bad_batch_reply",
                message:
                    "the function gave \(results.count) results for \(events.count) events; it must give one "
                    + "for each, in their order"
            )
        }
        return event.kind == .batch ? Reply(body: BatchPayload.body(of: results)) : try results[0].get()
    }

    /// Whether a batch can be handed to it.
    var takesBatches: Bool {
        if case .batch = self { true } else { false }
    }

    static let noBatches = FunctionError(
        code: "not_a_batch_function",
        message: "function.yaml says `batch:`, and the function handles one event at a time; make it a "
            + "BatchFunction, or take `batch:` out",
        retry: .never
    )
}
