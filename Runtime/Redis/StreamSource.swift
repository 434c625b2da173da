import FunctionCore
import NIOCore

/// The entries of a stream's consumer group.
///
/// A connection of its own for its blocking reads; all else goes over the client that is shared.
final class StreamSource: EntrySource {
    let key: String
    private let commands: StreamCommands
    private let client: RedisClient
    private let reader: RedisClient
    private var isPrepared = false

    init(commands: StreamCommands, client: RedisClient, reader: RedisClient) {
        self.key = commands.stream.text
        self.commands = commands
        self.client = client
        self.reader = reader
    }

    func close() {
        reader.close()
    }

    func prepare(_ completion: @escaping RedisCompletion<Bool>) {
        let again = isPrepared
        reader.submit(commands.ensureGroup(again: again)) { result in
            if case .success(let reply) = result.accepted {
                self.isPrepared = true
                return completion(.success(again && reply.int == 1))
            }
            completion(result.accepted.map { _ in false })
        }
    }

    func read(count: Int, _ completion: @escaping RedisCompletion<[StreamEntry]>) {
        reader.submit(commands.read(count: count), timeout: StreamCommands.block + .seconds(5)) { result in
            completion(result.accepted.map { StreamCommands.entries(read: $0) })
        }
    }

    func readPending(after id: String, count: Int, _ completion: @escaping RedisCompletion<[StreamDelivery]>)
    {
        reader.submit(commands.readPending(after: id, count: count)) { result in
            switch result.accepted {
            case .failure(let error): completion(.failure(error))
            case .success(let reply):
                self.withFailures(StreamCommands.entries(read: reply), completion)
            }
        }
    }

    func claimStale(from cursor: String, count: Int, _ completion: @escaping RedisCompletion<StaleEntries>) {
        client.submit(commands.claim(from: cursor, count: count)) { result in
            switch result.accepted {
            case .failure(let error): completion(.failure(error))
            case .success(let reply):
                guard let claim = StreamCommands.claim(reply) else {
                    let error = RedisError(.protocolError, "Redis answered XAUTOCLAIM with no list")
                    return completion(.failure(error))
                }
                // What was claimed and is not run now lies idle with this consumer, and is claimed again.
                self.withFailures(claim.entries) { deliveries in
                    completion(
                        deliveries.map {
                            StaleEntries(deliveries: $0, cursor: claim.cursor, lost: claim.lost)
                        }
                    )
                }
            }
        }
    }

    /// Looks up how often the function has failed with entries that were pending.
    private func withFailures(
        _ entries: [StreamEntry],
        _ completion: @escaping RedisCompletion<[StreamDelivery]>
    ) {
        guard !entries.isEmpty else { return completion(.success([])) }
        client.submit(commands.failures(of: entries.map(\.id))) { result in
            // An error reply means that somebody's key is in the way; then nothing is known.
            completion(result.map { StreamDelivery.with(entries, failures: $0) })
        }
    }

    func renew(_ ids: [String]) {
        for renewal in commands.renewals(of: ids) { client.submit(renewal) { _ in } }
    }

    func record(_ id: String, failures: Int) {
        client.submit(commands.record(id, count: failures)) { _ in }
    }

    func acknowledge(
        _ ids: [String],
        counted: Bool,
        as ending: StreamEnding,
        _ completion: @escaping RedisCompletion<Void>
    ) {
        client.submit(commands.ack(ids, counted: counted, as: ending)) { completion($0.counted) }
    }

    func trim(keeping time: Duration) {
        client.submit(commands.trim(keeping: time)) { _ in }
    }

    func counts(_ completion: @escaping RedisCompletion<StreamCounts>) {
        client.submit(commands.counts) { result in
            completion(
                result.accepted.flatMap { reply in
                    StreamCounts(reply).map { .success($0) }
                        ?? .failure(RedisError(.protocolError, "Redis did not answer with the counts"))
                }
            )
        }
    }

    func deadLetter(
        _ letter: StreamDeadLetter,
        at instant: Instant,
        _ completion: @escaping RedisCompletion<Void>
    ) {
        client.submit(commands.deadLetter(letter, at: instant)) { completion($0.counted) }
    }
}

extension StreamDelivery {
    /// Entries with a reply that lists a count of failures for each.
    static func with(_ entries: [StreamEntry], failures reply: RedisValue) -> [StreamDelivery] {
        let counts = reply.array ?? []
        return entries.enumerated().map { index, entry in
            StreamDelivery(entry, failures: index < counts.count ? max(counts[index].int ?? 0, 0) : 0)
        }
    }
}
