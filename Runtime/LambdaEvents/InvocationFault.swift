import FunctionCore

/// A function's failure as Lambda tells it: `{"errorMessage", "errorType", "stackTrace"}`.
package struct InvocationFault: Sendable, Hashable {
    /// What is wrong.
    package var message: String
    /// The kind of error: an exception's name, or `Runtime.…`, `Function.…`, `Sandbox.…`.
    package var type: String
    /// Where, if the runtime said so; a line each.
    package var stackTrace: [String]

    package init(type: String, message: String, stackTrace: [String] = []) {
        self.type = type
        self.message = message
        self.stackTrace = stackTrace
    }

    /// The fault that an error of ours is: its code is the type.
    package init(_ error: FunctionError) {
        var message = error.message
        for fault in error.faults where error.faults.count > 1 {
            message += "; \(fault.path): \(fault.message)"
        }
        self.init(type: error.code, message: message)
    }

    /// Reads a body; of what is none, its text is the message.
    package init(_ body: Bytes) {
        guard let json = try? JSON.parse(body), case .object(let object) = json else {
            self.init(type: "Function.Unknown", message: body.text)
            return
        }
        self.init(
            type: object["errorType"]?.stringValue ?? "Function.Unknown",
            message: object["errorMessage"]?.stringValue ?? "",
            // Node gives a list of lines, some runtimes one text.
            stackTrace: object["stackTrace"]?.arrayValue?.map { $0.stringValue ?? $0.text }
                ?? object["stackTrace"]?.stringValue.map { [$0] } ?? []
        )
    }

    /// The body that a caller of the function sees.
    package var json: JSON {
        var object: JSONObject = ["errorMessage": .string(message), "errorType": .string(type)]
        if !stackTrace.isEmpty { object["stackTrace"] = .array(stackTrace.map { .string($0) }) }
        return .object(object)
    }

    /// The value of `Lambda-Runtime-Function-Error-Type`: the type where it has the form that Lambda takes,
    /// `Runtime.` or `Function.` and a word, else the general one.
    package static func headerValue(_ type: String) -> String {
        for prefix in ["Runtime.", "Function."] where type.hasPrefix(prefix) {
            let word = type.utf8.dropFirst(prefix.utf8.count)
            let isWord =
                word.count > 1 && (65...90).contains(word.first ?? 0)
                && word.allSatisfy { (65...90).contains($0) || (97...122).contains($0) }
            if isWord { return type }
            if prefix == "Function." { return "Function.Unknown" }
        }
        return "Runtime.Unknown"
    }
}
