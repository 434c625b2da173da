/// A reply to a Redis event of several entries, some of which failed: those come again, the others are done.
///
///     207 {"failed": [{"id": "…", "code": "…", "message": "…", "retry": false}]}
///
/// `retry` is false for never, `discard` for not even a dead letter, a number for milliseconds to wait at
/// least, and left out for the manifest's policy. A reply of status 207 that is not of this form, or names an entry that was not in the event, counts
/// as a failure of all of them.
extension Reply {
    /// A reply that tells which entries have failed, by their event's `id`.
    public static func failing(_ failures: [(id: String, error: FunctionError)]) -> Reply {
        let list = failures.map { id, error in
            var failure: JSONObject = [
                "id": .string(id), "code": .string(error.code), "message": .string(error.message),
            ]
            switch error.retry {
            case .byPolicy: break
            case .after(let wait):
                let (seconds, attoseconds) = wait.components
                failure["retry"] = .integer(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
            case .never: failure["retry"] = .bool(false)
            case .discard: failure["retry"] = "discard"
            }
            return JSON.object(failure)
        }
        return .json(["failed": .array(list)], status: partialStatus)
    }

    /// 207, Multi-Status.
    package static let partialStatus = 207

    /// The failures that a body of status 207 names, by id; nil where it is of another form.
    package static func failures(in body: Bytes) -> [String: FunctionError]? {
        guard let document = try? JSON.parse(body), case .array(let list)? = document["failed"] else {
            return nil
        }
        var failures: [String: FunctionError] = [:]
        for item in list {
            guard let id = item["id"]?.stringValue else { return nil }
            var retry = FunctionError.Retry.byPolicy
            if case .bool(false)? = item["retry"] { retry = .never }
            if item["retry"]?.stringValue == "discard" { retry = .discard }
            if let wait = item["retry"]?.intValue { retry = .after(.milliseconds(max(wait, 0))) }
            failures[id] = FunctionError(
                code: item["code"]?.stringValue ?? "failed",
                message: item["message"]?.stringValue ?? "the function named the entry as failed",
                retry: retry
            )
        }
        return failures
    }
}
