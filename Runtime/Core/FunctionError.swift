/// One fault in an input: where, which rule, and what to do about it.
public struct Fault: Sendable, Codable, Hashable {
    /// Where, as a path such as `answers.age` or `scenes[2].seconds`.
    public var path: String
    /// The rule that is broken, as one word: `required`, `range`, `type`.
    public var rule: String
    /// The rule and the remedy in words.
    public var message: String

    /// A fault.
    public init(_ path: String, _ rule: String, _ message: String) {
        self.path = path
        self.rule = rule
        self.message = message
    }
}

/// How a function or a binding fails: a code that is safe as a metric label, a message for people, and a
/// status.
public struct FunctionError: Error, Sendable, CustomStringConvertible {
    /// What a retrying trigger does with the failure.
    public enum Retry: Sendable, Hashable {
        /// As `retry:` in the manifest says.
        case byPolicy
        /// Again, but not before this time has passed.
        case after(Duration)
        /// Never: to the dead letters at once.
        case never
        /// Never, and not to the dead letters either: it is of no use to anybody any more.
        ///
        /// A job is cancelled with the error as its reason.
        case discard
    }

    /// The HTTP status a caller sees, 400 to 599.
    public var status: Int
    /// A word such as `unknown_tone`; a few dozen in all, never with data in it.
    public var code: String
    /// What is wrong, naming the field, the rule and the remedy.
    ///
    /// No secrets.
    public var message: String
    /// All faults of an input, where there are several.
    public var faults: [Fault]
    /// What a retrying trigger does.
    public var retry: Retry
    /// What a Lambda runtime said of the failure: a JSON object, which callers of the Lambda API get as it is.
    package var document: Bytes?

    /// An error.
    public init(
        status: Int = 500,
        code: String,
        message: String,
        faults: [Fault] = [],
        retry: Retry = .byPolicy
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.faults = faults
        self.retry = retry
    }

    /// 400: the request cannot be read.
    ///
    /// Never retried.
    public static func badRequest(_ code: String, _ message: String) -> FunctionError {
        FunctionError(status: 400, code: code, message: message, retry: .never)
    }

    /// 422: the input breaks rules; all of them are listed.
    ///
    /// Never retried.
    public static func invalid(_ faults: [Fault]) -> FunctionError {
        let message = faults.count == 1 ? faults[0].message : "\(faults.count) faults; see `faults`"
        return FunctionError(
            status: 422,
            code: "invalid_input",
            message: message,
            faults: faults,
            retry: .never
        )
    }

    /// 422 with one fault.
    public static func invalid(_ path: String, _ rule: String, _ message: String) -> FunctionError {
        invalid([Fault(path, rule, message)])
    }

    /// 404. Never retried.
    public static func notFound(_ message: String) -> FunctionError {
        FunctionError(status: 404, code: "not_found", message: message, retry: .never)
    }

    /// 409. Never retried.
    public static func conflict(_ code: String, _ message: String) -> FunctionError {
        FunctionError(status: 409, code: code, message: message, retry: .never)
    }

    /// 503: not now; a retrying trigger tries again, but not before this time has passed.
    ///
    /// Counts as an attempt.
    public static func retry(
        after wait: Duration,
        code: String = "not_now",
        _ message: String
    ) -> FunctionError {
        FunctionError(status: 503, code: code, message: message, retry: .after(wait))
    }

    /// 422: of no use to anybody any more; a retrying trigger forgets it, without a dead letter.
    public static func discard(_ code: String, _ message: String) -> FunctionError {
        FunctionError(status: 422, code: code, message: message, retry: .discard)
    }

    /// 422: somebody has to look at it; a retrying trigger puts it to the dead letters at once.
    public static func deadLetter(_ code: String, _ message: String) -> FunctionError {
        FunctionError(status: 422, code: code, message: message, retry: .never)
    }

    /// What a caller may know of an error: a function's own errors as they are, of others the text.
    package init(describing error: any Error) {
        switch error {
        case let error as FunctionError: self = error
        case is CancellationError:
            self.init(status: 499, code: "cancelled", message: "the invocation was asked to stop")
        default:
            self.init(status: 500, code: "unhandled_error", message: "the function threw: \(error)")
        }
    }

    /// `code: message`.
    public var description: String { "\(code): \(message)" }

    /// The form in which a caller sees the error: `{"error": {"code", "message", "invocation", "faults"?}}`.
    public func json(invocation: String?) -> JSON {
        var error: JSONObject = ["code": .string(code), "message": .string(message)]
        if let invocation { error["invocation"] = .string(invocation) }
        if !faults.isEmpty {
            error["faults"] = .array(
                faults.map {
                    ["path": .string($0.path), "rule": .string($0.rule), "message": .string($0.message)]
                }
            )
        }
        return ["error": .object(error)]
    }
}
