import FunctionCore
import TestSupport

/// Producers that send a known sequence, whatever befalls those whom they send it to.
struct FaultProducers {
    let world: FaultWorld
    /// How many events in all.
    let count: Int

    /// Each key's events are sent one after the other, each until it is accepted.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for source in FaultSource.allCases {
                let share = max(count * source.percent / 100 / source.keys, 1)
                for key in 0..<source.keys {
                    group.addTask {
                        for seq in 0..<share {
                            try await send(SentEvent(source: source, key: key, seq: seq))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func send(_ event: SentEvent) async throws {
        var event = event
        var tries = 0
        var last = "nothing"
        while true {
            world.sends(event, tries, last)
            do {
                let answer = try await event.source.isJob ? post(event) : push(event)
                if let delivery = answer.accepted { return world.accept(event, as: delivery) }
                last = answer.told
            } catch let refusal as Refused {
                throw DevHost.Failure("\(event) was refused: \(refusal.answer)")
            } catch {
                last = "\(error)"
                // What may have been taken is sent as another copy, so that the two can be told apart.
                if !event.source.isJob {
                    world.doubt(event)
                    event.copy += 1
                }
            }
            tries += 1
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// What no fault explains.
    private struct Refused: Error {
        var answer: String
    }

    private typealias Answer = (accepted: String?, told: String)

    private func push(_ event: SentEvent) async throws -> Answer {
        let (seq, copy) = ("\(event.seq)", "\(event.copy)")
        guard event.source.isStream else {
            let body: JSON = [
                "key": .string(event.name), "seq": .integer(Int64(event.seq)),
                "copy": .integer(Int64(event.copy)),
            ]
            let answer = try await world.redis.ask("RPUSH", "list", body.text)
            if case .integer = answer { return (event.description, "") }
            return (nil, "\(answer)")
        }
        let name = event.source.rawValue
        let fields = ["key", event.name, "seq", seq, "copy", copy]
        let answer = try await world.redis.ask(["XADD", name, "*"] + fields)
        return (answer.text.map { "\(name)/\($0)" }, "\(answer)")
    }

    private func post(_ event: SentEvent) async throws -> Answer {
        var headers = [Header("idempotency-key", event.description), Header("x-user", "\(event.key + 1)")]
        if event.source.isOrdered { headers.append(Header("job-key", event.name)) }
        let body: JSON = ["key": .string(event.name), "seq": .integer(Int64(event.seq))]
        let answer = try await world.host.post("/\(event.source.rawValue)", body, headers)
        if answer.status == 202, let job = answer.json["job"]?["id"]?.stringValue { return (job, "") }
        let told = "\(answer.status) \(answer.text)"
        guard [409, 429, 503, 507].contains(answer.status) else { throw Refused(answer: told) }
        return (nil, told)
    }
}
