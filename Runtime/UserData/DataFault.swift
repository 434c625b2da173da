import FunctionCore
import Storage

/// The limits on what functions store, and how a store's failure reaches them.
enum DataFault {
    /// The largest record or document, as JSON text.
    static let valueLimit = 1024 * 1024

    /// The fault of a value that is too large, or nil.
    static func value(_ text: String, at path: String) -> Fault? {
        let count = text.utf8.count
        guard count > valueLimit else { return nil }
        let message =
            "\(path) has \(count) bytes of JSON and may have \(valueLimit); "
            + "store it as a blob and keep its key"
        return Fault(path, "size", message)
    }

    /// Throws 422 if there are faults.
    static func check(_ faults: [Fault?]) throws {
        let found = faults.compactMap { $0 }
        if !found.isEmpty { throw FunctionError.invalid(found) }
    }

    /// An argument that the method needs.
    static func required<Value>(_ value: Value?, _ path: String) throws -> Value {
        guard let value else {
            throw FunctionError.invalid(path, "required", "\(path) is missing; the method needs it")
        }
        return value
    }

    /// `limit` of a list, 1 to 1000.
    static func limit(_ limit: Int?) throws -> Int {
        let limit = limit ?? 100
        guard (1...1000).contains(limit) else {
            throw FunctionError.invalid(
                "limit",
                "range",
                "limit is \(limit) and must be 1 to 1000; ask for fewer"
            )
        }
        return limit
    }

    /// Runs `body` with a store's failures in the words of a function.
    static func mapped<Value>(
        _ body: () async throws -> Value,
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> Value {
        do {
            return try await body()
        } catch let error as StorageError {
            throw error.functionError
        }
    }
}
