import FunctionCore
import FunctionTesting

/// A plain event of these members.
func plain(_ operation: String, _ object: JSON) -> Event {
    .plain(object, operation: operation)
}

/// A Redis event of one entry.
func redis(_ type: String, _ data: JSON, operation: String = "") throws -> Event {
    try .redis("events:\(type)", [data], type: type, operation: operation)
}

/// The error that a call throws, if it is a `FunctionError`.
func failure(_ call: () async throws -> some Sendable) async -> FunctionError? {
    do {
        _ = try await call()
        return nil
    } catch {
        return error as? FunctionError
    }
}
