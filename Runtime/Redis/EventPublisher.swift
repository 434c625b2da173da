import FunctionCore

/// Puts events into their streams, at least once: after an error the event may be there all the same.
///
/// The streams are never trimmed here. A trim under a group's pending entries loses work without a word.
package struct EventPublisher: Sendable {
    /// Rows that go out in one write; a quarter of what may wait for replies.
    package static let batch = 256

    private let client: RedisClient

    package init(client: RedisClient) {
        self.client = client
    }

    /// Publishes one event and returns its entry's id.
    @discardableResult
    package func publish(_ row: OutgoingRow) async throws(RedisError) -> String {
        try await publish(row, to: row.stream)
    }

    /// Puts one event into a stream of any name, and returns its entry's id.
    @discardableResult
    package func publish(_ row: OutgoingRow, to stream: String) async throws(RedisError) -> String {
        try await client.send(["XADD", Bytes(stream), "*"] + StreamEntryCodec.fields(of: row)).text ?? ""
    }

    /// Publishes events in their order, `batch` of them in one write, and tells for each what became of it.
    ///
    /// After a lost connection the rest of the rows are not tried: they fail like the one before.
    package func publish(_ rows: [OutgoingRow]) async -> [Result<String, RedisError>] {
        var results: [Result<String, RedisError>] = []
        results.reserveCapacity(rows.count)
        while results.count < rows.count {
            let commands = rows[results.count...].prefix(EventPublisher.batch).map {
                EventPublisher.command($0)
            }
            do throws(RedisError) {
                for reply in try await client.pipeline(commands) {
                    if case .error(let text) = reply {
                        results.append(.failure(RedisError(refusal: text)))
                    } else {
                        results.append(.success(reply.text ?? ""))
                    }
                }
            } catch {
                results += Array(repeating: .failure(error), count: rows.count - results.count)
            }
        }
        return results
    }

    private static func command(_ row: OutgoingRow) -> [Bytes] {
        ["XADD", Bytes(row.stream), "*"] + StreamEntryCodec.fields(of: row)
    }
}
