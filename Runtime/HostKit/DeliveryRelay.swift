import Fetch
import FunctionCore
import Invocations
import Journal
import NIOCore
import Observe
import RedisTrigger
import Storage

/// Tells streams and webhooks of jobs that have ended, at least once each: who must not take it twice goes by
/// the job's id and state.
///
/// What fails is tried again after a second, twice as long each time, ten minutes at most; after
/// `DeliveryStore.triesMax` tries it is given up, and stays in the journal with its last error.
package final class DeliveryRelay: Sendable {
    private let deliveries: any DeliveryQueue
    private let publisher: EventPublisher
    private let fetcher: Fetcher
    /// Signs webhooks; empty for none.
    private let key: [UInt8]
    private let clock: VirtualClock
    private let loop: any EventLoop
    private let telemetry: Telemetry

    /// How many are under way at once.
    private static let batch = 16

    package init(
        deliveries: any DeliveryQueue,
        publisher: EventPublisher,
        key: String,
        clock: VirtualClock,
        loop: any EventLoop,
        telemetry: Telemetry
    ) throws {
        self.deliveries = deliveries
        self.publisher = publisher
        // Whoever writes the manifests runs the host, and names the URL; no redirect is followed.
        self.fetcher = try Fetcher(Fetcher.Settings(allow: .unrestricted))
        self.key = Array(key.utf8)
        self.clock = clock
        self.loop = loop
        self.telemetry = telemetry
    }

    /// Delivers until the task is cancelled.
    package func run() async {
        let wakes = deliveries.appended.wakes()
        clock.onChange { [deliveries] in deliveries.appended.wake() }
        let timer = Timer(loop: loop) { [deliveries] in deliveries.appended.wake() }
        deliveries.appended.wake()
        for await _ in wakes {
            do {
                try await deliverAll()
                let counts = try await deliveries.counts()
                telemetry.metrics.set("swiftlet_deliveries", ["waiting"], to: Double(counts.waiting))
                telemetry.metrics.set("swiftlet_deliveries", ["given_up"], to: Double(counts.givenUp))
                let next = try await deliveries.nextDue().flatMap { clock.realWait(until: $0) }
                timer.set(min(max(next ?? .seconds(30), .milliseconds(10)), .seconds(30)))
            } catch {
                telemetry.note(.error, "deliveries cannot be read", [("reason", .string("\(error)"))])
                timer.set(.seconds(1))
            }
        }
        timer.cancel()
        fetcher.shutdown()
    }

    private func deliverAll() async throws {
        while !Task.isCancelled {
            let due = try await deliveries.due(now: clock.now, limit: DeliveryRelay.batch)
            if due.isEmpty { return }
            await withDiscardingTaskGroup { group in
                for delivery in due { group.addTask { await self.deliver(delivery) } }
            }
        }
    }

    private func deliver(_ delivery: Delivery) async {
        let fault = await attempt(delivery)
        // A host that stops leaves the rest to the next one: what it could not say is no failure.
        if fault != nil, Task.isCancelled { return }
        do {
            guard let fault else { return try await deliveries.done(delivery) }
            let failures = delivery.failures + 1
            let isLast = failures >= DeliveryStore.triesMax
            try await deliveries.failed(
                delivery,
                fault,
                retryAt: isLast ? nil : clock.now + DeliveryRelay.wait(after: failures)
            )
            guard isLast else { return }
            let fields: [(String, JSON)] = [("job", .string(delivery.job)), ("reason", .string(fault))]
            telemetry.note(.error, "a delivery is given up", function: delivery.function, fields)
        } catch {
            telemetry.note(.error, "a delivery cannot be noted", [("reason", .string("\(error)"))])
        }
    }

    private static func wait(after failures: Int) -> Duration {
        let doubled = Duration.seconds(1) * (1 << min(failures - 1, 10))
        let jittered = Double(min(doubled, .seconds(600)).nanoseconds) * Double.random(in: 0.8...1.2)
        return .nanoseconds(Int64(jittered))
    }

    /// Why it failed; nil where it did not.
    private func attempt(_ delivery: Delivery) async -> String? {
        switch delivery.destination {
        case .function: return nil
        case .stream(let name):
            do throws(RedisError) {
                try await publisher.publish(DeliveryRelay.row(delivery), to: name)
                return nil
            } catch {
                return error.message
            }
        case .webhook(let url):
            do throws(FetchError) {
                let reply = try await fetcher.send(request(delivery, to: url))
                return 200..<300 ~= reply.status ? nil : "the webhook answered \(reply.status)"
            } catch {
                return "\(error)"
            }
        }
    }

    private static func row(_ delivery: Delivery) -> OutgoingRow {
        OutgoingRow(
            id: "\(delivery.job)-\(delivery.state.rawValue)",
            type: "job.\(delivery.state.rawValue)",
            source: delivery.function,
            time: delivery.ended,
            traceparent: delivery.trace.traceparent,
            data: Bytes(delivery.body)
        )
    }

    private static func cloudEvent(_ delivery: Delivery, id: String) -> CloudEvent {
        CloudEvent(
            id: id,
            source: "/functions/\(delivery.function)",
            type: "swiftlet.job.\(delivery.state.rawValue)",
            subject: delivery.job,
            time: delivery.ended,
            dataContentType: "application/json",
            extensions: ["traceparent": delivery.trace.traceparent],
            data: Bytes(delivery.body)
        )
    }

    private func request(_ delivery: Delivery, to url: String) -> OutboundRequest {
        let id = "\(delivery.job)-\(delivery.state.rawValue)"
        let time = "\(clock.now.nanoseconds / 1_000_000_000)"
        // In binary mode a CloudEvent is the same request with some more fields.
        var headers = DeliveryRelay.cloudEvent(delivery, id: id).headers
        headers += [
            Header("webhook-id", id), Header("webhook-timestamp", time),
            Header("traceparent", delivery.trace.traceparent),
        ]
        if !key.isEmpty {
            let code = hmacSHA256(key: key, Array("\(id).\(time).\(delivery.body)".utf8))
            headers.append(Header("webhook-signature", "v1=\(hexadecimal(code))"))
        }
        return OutboundRequest(
            method: "POST",
            url: url,
            headers: headers,
            body: Bytes(delivery.body),
            timeout: .seconds(15),
            responseLimit: 64 * 1024
        )
    }
}
