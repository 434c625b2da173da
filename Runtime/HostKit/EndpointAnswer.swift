import FunctionCore
import HTTPTrigger
import Storage

extension EndpointResponse {
    /// What `body` answers; what it throws as the error that it is, and anything else as a 503 with `message`.
    static func answering(
        else message: String,
        _ body: () async throws -> EndpointResponse
    ) async -> EndpointResponse {
        do {
            return try await body()
        } catch let error as FunctionError {
            return .failure(error)
        } catch let error as StorageError {
            return .failure(error.functionError)
        } catch {
            return .failure(FunctionError(status: 503, code: "storage_failed", message: message))
        }
    }
}
