/// Why bytes are not JSON, JSON is not the type asked for, or a value has no JSON form.
public struct JSONError: Error, Sendable {
    /// The kinds of failure; the raw text is stable and may label a metric.
    public enum Code: String, Sendable {
        /// The bytes are not a JSON document.
        case syntax = "json_syntax"
        /// The document exceeds a limit of the parser.
        case limit = "json_limit"
        /// A value is of another kind than the type asks for.
        case mismatch = "json_mismatch"
        /// A member that the type requires is not there.
        case missing = "json_missing"
        /// A value is of the right kind, but the type does not accept it.
        case invalid = "json_invalid"
        /// A Swift value cannot be written as JSON.
        case unwritable = "json_unwritable"
    }

    /// The kind of failure.
    public let code: Code

    /// What is wrong, without the place.
    public let reason: String

    /// Where in the value, such as `scenes[2].seconds`; empty for the whole value and for syntax errors.
    public let path: String

    /// The line of a syntax error, from 1.
    public let line: Int?

    /// The column of a syntax error, from 1, in Unicode scalars.
    public let column: Int?

    /// The error that a type's own coding threw, if that was the reason.
    public let cause: (any Error)?

    /// One sentence with the reason and the place.
    public var message: String {
        if let line, let column { return "\(reason), at line \(line) column \(column)" }
        return path.isEmpty ? reason : "\(path): \(reason)"
    }

    /// An error at a place in a value.
    public init(code: Code, reason: String, path: String = "", cause: (any Error)? = nil) {
        self.code = code
        self.reason = reason
        self.path = path
        self.line = nil
        self.column = nil
        self.cause = cause
    }

    /// An error at a place in a text.
    public init(code: Code, reason: String, line: Int, column: Int) {
        self.code = code
        self.reason = reason
        self.path = ""
        self.line = line
        self.column = column
        self.cause = nil
    }
}

extension JSONError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}

extension JSONError {
    /// The same failure as a `DecodingError` or `EncodingError` reports it; other errors keep their own text.
    init(mapping error: any Error, at path: @autoclosure () -> [any CodingKey], code: Code) {
        switch error {
        case let error as JSONError:
            self = error
        case DecodingError.keyNotFound(let key, let context):
            self.init(code: .missing, reason: "is required", path: JSONKey.text(context.codingPath + [key]))
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            self.init(code: .mismatch, context.debugDescription, context.codingPath, context.underlyingError)
        case DecodingError.dataCorrupted(let context):
            self.init(code: .invalid, context.debugDescription, context.codingPath, context.underlyingError)
        case EncodingError.invalidValue(_, let context):
            self.init(
                code: .unwritable,
                context.debugDescription,
                context.codingPath,
                context.underlyingError
            )
        default:
            self.init(code: code, String(describing: error), path(), error)
        }
    }

    private init(code: Code, _ reason: String, _ path: [any CodingKey], _ cause: (any Error)?) {
        self.init(code: code, reason: reason, path: JSONKey.text(path), cause: cause)
    }
}
