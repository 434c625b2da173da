import FunctionCore
import GRDB

/// How a store fails: a code that is safe as a metric label, and a sentence that names the file and the
/// remedy.
package struct StorageError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The disk or SQLite failed.
        case failed = "storage_failed"
        /// The disk, or a stated cap, is full.
        case full = "storage_full"
        /// The file is damaged.
        case corrupt = "storage_corrupt"
        /// The file was written by a newer program.
        case newer = "storage_newer"
        /// The file was written by an older program, and may only be read.
        case older = "storage_older"
        /// The file belongs to something else.
        case foreign = "storage_foreign"
        /// The file was closed.
        case closed = "storage_closed"
        /// The server that keeps it is away; what was to be written may have been written.
        case unavailable = "redis_unavailable"
        /// More calls wait than may.
        case overloaded = "storage_overloaded"
        /// A value is over its limit.
        case tooLarge = "too_large"
        /// What is asked for is not there.
        case notFound = "not_found"
        /// The state does not allow the step.
        case wrongState = "wrong_state"
        /// The attempt that reports has been given up in the meantime.
        case staleLease = "stale_lease"
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// What went wrong in SQLite, in the words of a store.
    ///
    /// Errors of the caller's own making stay as they are.
    package static func mapping(_ error: any Error, file: String) -> any Error {
        guard let error = error as? DatabaseError else { return error }
        let detail = error.message ?? "no detail"
        switch error.resultCode {
        case .SQLITE_FULL:
            return StorageError(.full, "\(file): the disk is full; free space, and try again")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return StorageError(.corrupt, "\(file) is damaged (\(detail)); restore it from a backup")
        case .SQLITE_MISUSE:
            return StorageError(.closed, "\(file) is closed; the host is stopping")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY:
            return StorageError(
                .failed,
                "\(file) cannot be opened for writing (\(detail)); check its permissions"
            )
        default:
            return StorageError(.failed, "\(file): SQLite answers \(error.extendedResultCode): \(detail)")
        }
    }

    /// What a function or a client sees.
    ///
    /// It names no file: where data lie is the host's business.
    package var functionError: FunctionError {
        switch code {
        case .full:
            FunctionError(
                status: 507,
                code: code.rawValue,
                message: "there is no space left to store this; delete data, or raise the limit"
            )
        case .overloaded:
            FunctionError(
                status: 429,
                code: code.rawValue,
                message: "too many writes wait for the store; try again in a second",
                retry: .after(.seconds(1))
            )
        case .unavailable:
            FunctionError(
                status: 503,
                code: code.rawValue,
                message: "the journal's Redis does not answer; try again in a second",
                retry: .after(.seconds(1))
            )
        case .tooLarge: FunctionError(status: 413, code: code.rawValue, message: message, retry: .never)
        case .notFound: FunctionError.notFound(message)
        case .wrongState, .staleLease: FunctionError.conflict(code.rawValue, message)
        case .failed, .corrupt, .newer, .older, .foreign, .closed:
            FunctionError(
                status: 503,
                code: "storage_failed",
                message: "the host's storage failed; the host's log has the cause"
            )
        }
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
