import FunctionCore
import Invocations
import NIOCore

/// The elements of a list that producers push to, each taken by one consumer.
///
/// An element that is taken moves to a list of the consumer's own and stays there until it is settled. A
/// consumer tells that it lives with every read; what one that is silent for `minIdle` holds is taken over by
/// another. Elements have no id in Redis: they get one here, which a restart does not keep. Failures are
/// counted by an element's content, so equal ones share their count.
///
/// At most `StreamSettings.heldBound` elements are with a consumer, which bounds what settling one costs.
final class ListSource: EntrySource {
    let key: String
    private let list: Bytes
    /// The list of what this consumer has taken.
    private let taken: Bytes
    private let consumer: Bytes
    private let function: Bytes
    private let minIdle: Duration
    private let keys: [Bytes]
    private let fromLeft: Bool
    private let client: RedisClient
    private let reader: RedisClient
    private let clock: any HostClock
    private var values: [String: Bytes] = [:]
    private var lastID = 0

    init(
        _ list: Manifest.List,
        consumer: String,
        function: String,
        minIdle: Duration,
        client: RedisClient,
        reader: RedisClient,
        clock: any HostClock
    ) {
        self.key = list.list
        self.list = Bytes(list.list)
        self.consumer = Bytes(consumer)
        self.function = Bytes(function)
        self.minIdle = minIdle
        let names = SourceKeys(list.list)
        taken = names.taken(by: consumer)
        keys = [self.list, taken, names.takers, names.attempts, names.dead]
        self.fromLeft = list.fromLeft
        self.client = client
        self.reader = reader
        self.clock = clock
    }

    func close() {
        reader.close()
    }

    // MARK: - Taking

    func prepare(_ completion: @escaping RedisCompletion<Bool>) {
        reader.submit(script(ListScripts.prepare, [consumer])) { completion($0.counted.map { false }) }
    }

    /// One blocking move for the first element, then a script for as many more as there are.
    func read(count: Int, _ completion: @escaping RedisCompletion<[StreamEntry]>) {
        let block = Bytes(String(StreamCommands.block.nanoseconds / 1_000_000_000))
        let (from, to): (Bytes, Bytes) = fromLeft ? ("LEFT", "RIGHT") : ("RIGHT", "LEFT")
        let commands: [[Bytes]] = [
            script(ListScripts.prepare, [consumer]),
            ["BLMOVE", list, taken, from, to, block],
            script(ListScripts.take, [consumer, from, to, number(count - 1)]),
        ]
        reader.submit(all: commands, timeout: StreamCommands.block + .seconds(5)) { result in
            completion(
                result.flatMap { replies in
                    if case .error(let text)? = replies.first(where: \.isError) {
                        return .failure(RedisError(refusal: text))
                    }
                    let more = replies[2].array ?? []
                    return .success(([replies[1]] + more).compactMap(\.bytes).map { self.entry($0) })
                }
            )
        }
    }

    /// All there is at once: it is no more than a consumer may hold.
    ///
    /// What is held here already keeps its id, so that nothing that runs is taken for new; on the connection
    /// of the acknowledgements, as an element that is gone by then must not be in the answer.
    func readPending(after id: String, count: Int, _ completion: @escaping RedisCompletion<[StreamDelivery]>)
    {
        guard id == "0" else { return completion(.success([])) }
        client.submit(["LRANGE", taken, "0", "-1"]) { result in
            switch result.accepted {
            case .failure(let error): completion(.failure(error))
            case .success(let reply):
                let found = (reply.array ?? []).compactMap(\.bytes)
                var held = Dictionary(grouping: self.values.keys) { self.values[$0] ?? Bytes() }
                let entries = (self.fromLeft ? found : found.reversed()).map { value in
                    if let id = held[value]?.popLast() { return StreamEntry(id: id, value: value) }
                    return self.entry(value)
                }
                self.withFailures(entries, completion)
            }
        }
    }

    func claimStale(from cursor: String, count: Int, _ completion: @escaping RedisCompletion<StaleEntries>) {
        let idle = number(Int(minIdle.nanoseconds / 1_000_000))
        let (from, to): (Bytes, Bytes) = fromLeft ? ("LEFT", "RIGHT") : ("RIGHT", "LEFT")
        client.submit(script(ListScripts.claim, [consumer, from, to, number(count), idle])) { result in
            switch result.accepted {
            case .failure(let error): completion(.failure(error))
            case .success(let reply):
                let entries = (reply.array ?? []).compactMap(\.bytes).map { self.entry($0) }
                self.withFailures(entries) { completion($0.map { StaleEntries(deliveries: $0) }) }
            }
        }
    }

    func renew(_ ids: [String]) {
        client.submit(script(ListScripts.prepare, [consumer])) { _ in }
    }

    // MARK: - Failures and settling

    private func withFailures(
        _ entries: [StreamEntry],
        _ completion: @escaping RedisCompletion<[StreamDelivery]>
    ) {
        guard !entries.isEmpty else { return completion(.success([])) }
        client.submit(script(ListScripts.failures, entries.map { values[$0.id] ?? Bytes() })) { result in
            completion(result.map { StreamDelivery.with(entries, failures: $0) })
        }
    }

    func record(_ id: String, failures: Int) {
        guard let value = values[id] else { return }
        client.submit(script(ListScripts.record, [value, number(failures)])) { _ in }
    }

    func acknowledge(
        _ ids: [String],
        counted: Bool,
        as ending: StreamEnding,
        _ completion: @escaping RedisCompletion<Void>
    ) {
        let settled = ids.compactMap { values[$0] }
        client.submit(script(ListScripts.acknowledge, [consumer] + settled)) { result in
            if case .success = result.counted { ids.forEach { self.values[$0] = nil } }
            completion(result.counted)
        }
    }

    func deadLetter(
        _ letter: StreamDeadLetter,
        at instant: Instant,
        _ completion: @escaping RedisCompletion<Void>
    ) {
        let id = letter.entry.id
        guard let value = values[id] else { return completion(.success(())) }
        let origin: [Bytes] = ["dead.list", list, "dead.take", fromLeft ? "left" : "right"]
        let reasons = DeadLetter.reasons(letter, of: origin, function: function, at: instant)
        client.submit(script(ListScripts.deadLetter, [consumer, value, "data", value] + reasons)) { result in
            if case .success = result.counted { self.values[id] = nil }
            completion(result.counted)
        }
    }

    /// Elements that are settled leave the list by that alone.
    func trim(keeping time: Duration) {}

    func counts(_ completion: @escaping RedisCompletion<StreamCounts>) {
        client.submit(all: [["LLEN", list], ["LLEN", taken]]) { result in
            completion(
                result.map { replies in
                    StreamCounts(
                        accepted: nil,
                        pending: replies[1].int ?? 0,
                        lag: replies[0].int ?? 0
                    )
                }
            )
        }
    }

    // MARK: - Names

    private func entry(_ value: Bytes) -> StreamEntry {
        lastID += 1
        let id = "\(clock.now.nanoseconds / 1_000_000)-\(lastID)"
        values[id] = value
        return StreamEntry(id: id, value: value)
    }

    /// A script over all keys of the list.
    private func script(_ text: Bytes, _ arguments: [Bytes]) -> [Bytes] {
        ["EVAL", text, number(keys.count)] + keys + arguments
    }

    private func number(_ number: Int) -> Bytes { Bytes(String(number)) }
}

extension StreamEntry {
    /// An element of a list, as an entry with one field.
    init(id: String, value: Bytes) {
        self.init(id: id, fields: [StreamField("data", value)])
    }
}
