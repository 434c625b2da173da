import FunctionCore
import Invocations
import RedisTrigger
import Storage

/// Deliveries in Redis, which any host may carry out.
package final class RedisDeliveries: DeliveryQueue {
    package let appended = WakeSignal()
    private let client: RedisClient
    private let keys: RedisJobKeys

    /// For how long what a host has taken is out of the others' sight.
    private static let hidden = Duration.seconds(60)

    init(_ client: RedisClient, _ keys: RedisJobKeys) {
        self.client = client
        self.keys = keys
    }

    package func due(now: Instant, limit: Int) async throws -> [Delivery] {
        let arguments = [
            Bytes("\(now.microseconds)"), (now + RedisDeliveries.hidden).score, Bytes("\(limit)"),
        ]
        let reply = try await RedisJobScripts.deliveries.call(client, keys.base, [arguments]).first
        return try (reply?.array ?? []).compactMap(delivery)
    }

    package func nextDue() async throws -> Instant? {
        let first = try await client.ask([["ZRANGE", keys.deliveries, "0", "0", "WITHSCORES"]])[0]
        return first.array?.last?.text.flatMap { Double($0) }.map { Instant(nanoseconds: Int64($0) * 1000) }
    }

    package func counts() async throws -> (waiting: Int, givenUp: Int) {
        let numbers = try await client.ask([["ZCARD", keys.deliveries], ["SCARD", keys.deadDeliveries]])
        return (numbers[0].int ?? 0, numbers[1].int ?? 0)
    }

    package func all(of job: String) async throws -> [Delivery] {
        let numbers = try await client.ask([["ZRANGE", keys.told(job), "0", "-1"]])[0].array ?? []
        let rows = try await client.ask(
            numbers.map { ["HGETALL", keys.delivery(Int64($0.int ?? 0))] }
        )
        return try rows.compactMap(delivery)
    }

    package func done(_ delivery: Delivery) async throws {
        let number = Bytes("\(delivery.number)")
        try await write([
            ["DEL", keys.delivery(delivery.number)], ["ZREM", keys.deliveries, number],
            ["ZREM", keys.told(delivery.job), number],
        ])
    }

    package func failed(_ delivery: Delivery, _ error: String, retryAt: Instant?) async throws {
        let (key, number) = (keys.delivery(delivery.number), Bytes("\(delivery.number)"))
        var commands: [[Bytes]] = [
            ["HSET", key, "failures", Bytes("\(delivery.failures + 1)"), "error", Bytes(error)]
        ]
        if let retryAt {
            commands.append(["HSET", key, "runAt", Bytes("\(retryAt.nanoseconds)")])
            commands.append(["ZADD", keys.deliveries, retryAt.score, number])
        } else {
            commands.append(["HDEL", key, "runAt"])
            commands.append(["ZREM", keys.deliveries, number])
            commands.append(["SADD", keys.deadDeliveries, number])
        }
        try await write(commands)
    }

    private func write(_ commands: [[Bytes]]) async throws {
        do throws(RedisError) {
            _ = try await client.transaction(commands)
        } catch {
            throw StorageError(redis: error)
        }
    }

    private func delivery(_ reply: RedisValue) throws -> Delivery? {
        let table = RedisJobCodec.table(reply)
        if table.isEmpty { return nil }
        let row = RedisRow(table)
        guard let state = row.text("state").flatMap(JobState.init(rawValue:)),
            let number = row.int64("number"),
            let trace = row.text("trace").flatMap({ TraceContext(traceparent: $0) })
        else { throw StorageError(.corrupt, "a delivery in Redis has fields that no swiftlet writes") }
        let target = row.text("target") ?? ""
        return Delivery(
            number: number,
            job: row.text("job") ?? "",
            function: row.text("function") ?? "",
            state: state,
            destination: row.text("kind") == "stream" ? .stream(target) : .webhook(target),
            body: row.text("body") ?? "",
            trace: trace,
            failures: row.int("failures") ?? 0,
            runAt: row.instant("runAt"),
            ended: row.instant("ended") ?? Instant(nanoseconds: 0),
            error: row.text("error")
        )
    }
}

extension RedisCommit {
    /// Something is to be told of a job's end.
    mutating func deliver(
        _ destination: Manifest.Destination,
        _ body: String,
        of job: JobRecord,
        now: Instant
    ) {
        let (kind, target) = destination.row
        let instant = Bytes("\(now.nanoseconds)")
        add(
            [
                "deliver", Bytes(job.id), "job", Bytes(job.id), "function", Bytes(job.function), "state",
                Bytes(job.state.rawValue), "kind", Bytes(kind), "target", Bytes(target), "body", Bytes(body),
                "trace", Bytes(job.trace.traceparent), "runAt", instant, "ended", instant,
            ]
        )
    }
}
