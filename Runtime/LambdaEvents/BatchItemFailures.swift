import FunctionCore

/// What a function answers a batch with: the messages that failed, which alone come again.
package enum BatchItemFailures: Sendable, Hashable {
    /// These, each named once and known; none for a batch that is done.
    case some([String])
    /// All of them, for the reason given: the answer cannot be relied on.
    case all(String)

    /// Reads an answer.
    ///
    /// Nothing at all, `null`, an object without failures, and an empty list say that all is done. What is no
    /// JSON, an identifier that is missing, empty or unknown, says that nothing is.
    package static func read(_ body: Bytes, of known: some Sequence<String>) -> BatchItemFailures {
        if body.isEmpty { return .some([]) }
        guard let json = try? JSON.parse(body) else { return .all("the answer is not JSON") }
        guard let list = json["batchItemFailures"], !list.isNull else { return .some([]) }
        guard let list = list.arrayValue else { return .all("batchItemFailures is not a list") }
        let known = Set(known)
        var failed: [String] = []
        for (place, item) in list.enumerated() {
            guard let id = item["itemIdentifier"]?.stringValue, !id.isEmpty else {
                return .all("batchItemFailures[\(place)] has no itemIdentifier")
            }
            guard known.contains(id) else {
                return .all("batchItemFailures[\(place)] names a message that was not in the batch")
            }
            if !failed.contains(id) { failed.append(id) }
        }
        return .some(failed)
    }

    /// The reply to a Redis event that an answer means.
    /// - Throws: `FunctionError` 502 `bad_lambda_reply` where all of the batch failed by it.
    package static func reply(_ body: Bytes, to batch: RedisEvent) throws(FunctionError) -> Reply {
        let ids = batch.entries.map(\.id)
        switch read(body, of: ids) {
        case .all(let reason):
            throw FunctionError(
                status: 502,
                code: "bad_lambda_reply",
                message: "all messages fail: \(reason)"
            )
        case .some(let failed) where failed.isEmpty:
            return Reply()
        case .some(let failed):
            let error = FunctionError(code: "batch_item_failure", message: "the function named it as failed")
            return .failing(failed.map { ($0, error) })
        }
    }

    /// The answer that a reply to a Redis event means.
    ///
    /// A message that is to be forgotten is done. One that is never to be tried again comes again until the
    /// queue's own policy puts it to its dead letters: nothing sooner can be asked of SQS.
    /// - Throws: `FunctionError` where all of the batch failed by it.
    package static func document(_ reply: Reply, to batch: RedisEvent) throws(FunctionError) -> JSON {
        guard reply.status == Reply.partialStatus else {
            guard reply.status >= 400 else { return ["batchItemFailures": []] }
            let message = "the function replied with status \(reply.status)"
            throw FunctionError(status: reply.status, code: "failed", message: message)
        }
        let known = Set(batch.entries.map(\.id))
        guard let failures = Reply.failures(in: reply.body), known.isSuperset(of: failures.keys) else {
            let message = "the reply of status 207 does not name messages of the batch, so all of them fail"
            throw FunctionError(code: "bad_partial_reply", message: message)
        }
        let failed = batch.entries.map(\.id).filter { id in
            failures[id].map { $0.retry != .discard } ?? false
        }
        return ["batchItemFailures": .array(failed.map { ["itemIdentifier": .string($0)] })]
    }
}
