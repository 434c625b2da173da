import Foundation
import FunctionCore
import GRDB

/// Statements that SQLite compiles once a connection, and columns as FunctionCore's types.
extension Database {
    /// Runs a statement and says how many rows it changed.
    @discardableResult
    package func run(_ sql: String, _ arguments: StatementArguments = []) throws -> Int {
        try cachedStatement(sql: sql).execute(arguments: arguments)
        return changesCount
    }

    /// The first row of a query.
    package func first(_ sql: String, _ arguments: StatementArguments = []) throws -> Row? {
        try Row.fetchOne(cachedStatement(sql: sql), arguments: arguments)
    }

    /// All rows of a query; its LIMIT bounds them.
    package func rows(_ sql: String, _ arguments: StatementArguments = []) throws -> [Row] {
        try Row.fetchAll(cachedStatement(sql: sql), arguments: arguments)
    }
}

extension Row {
    /// A column of nanoseconds since the epoch.
    package func instant(_ column: String) -> Instant { Instant(nanoseconds: self[column]) }

    /// A column of nanoseconds since the epoch, or NULL.
    package func instantIfAny(_ column: String) -> Instant? {
        (self[column] as Int64?).map { Instant(nanoseconds: $0) }
    }

    /// A column of bytes.
    package func bytes(_ column: String) -> Bytes { bytesIfAny(column) ?? Bytes() }

    /// A column of bytes, or NULL.
    package func bytesIfAny(_ column: String) -> Bytes? {
        (self[column] as Data?).map { Bytes(Array($0)) }
    }

    /// A column of JSON text that this program has written.
    package func json(_ column: String) throws -> JSON {
        try JSON.parse(Bytes(self[column] as String))
    }
}

extension Bytes {
    /// The bytes as SQLite's BLOB.
    package var blob: Data { Data(array) }
}
