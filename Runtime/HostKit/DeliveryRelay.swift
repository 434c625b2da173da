import Activity
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
        let (began, trace) = (Monotonic.now, delivery.trace.child())
        let (fault, status) = await attempt(delivery, trace)
        // A host that stops leaves the rest to the next one: what it could not say is no failure.
        if fault != nil, Task.isCancelled { return }
        note(delivery, trace, since: began, isGood: fault == nil, status)
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

    private func note(
        _ delivery: Delivery,
        _ trace: TraceContext,
        since began: Monotonic,
        isGood: Bool,
        _ status: Int?
    ) {
        var attributes = [
            SpanAttribute("swiftlet.job", .string(delivery.job)),
            SpanAttribute("swiftlet.attempt", .integer(Int64(delivery.failures + 1))),
        ]
        if let status {
            attributes.append(SpanAttribute("http.response.status_code", .integer(Int64(status))))
        }
        let place = SpanPlace(trace, parent: ParentSpan(delivery.trace, isRemote: false))
        let event = "job.\(delivery.state.rawValue)"
        let (name, kind): (String, Span.Kind) =
            switch delivery.destination {
            case .webhook: ("deliver \(event) to a webhook", .client)
            case .stream, .function: ("publish \(event)", .producer)
            }
        telemetry.enter(
            place,
            name,
            kind,
            function: delivery.function,
            since: began,
            error: isGood ? nil : "not_delivered",
            attributes
        )
    }

    /// Why it failed, nil where it did not, and what a webhook answered.
    private func attempt(_ delivery: Delivery, _ trace: TraceContext) async -> (String?, status: Int?) {
        switch delivery.destination {
        case .function: return (nil, nil)
        case .stream(let name):
            do throws(RedisError) {
                try await publisher.publish(DeliveryRelay.row(delivery, trace), to: name)
                return (nil, nil)
            } catch {
                return (error.message, nil)
            }
        case .webhook(let url):
            do throws(FetchError) {
                let reply = try await fetcher.send(request(delivery, trace, to: url))
                let fault = 200..<300 ~= reply.status ? nil : "the webhook answered \(reply.status)"
                return (fault, reply.status)
            } catch {
                return ("\(error)", nil)
            }
        }
    }

    private static func row(_ delivery: Delivery, _ trace: TraceContext) -> OutgoingRow {
        OutgoingRow(
            id: "\(delivery.job)-\(delivery.state.rawValue)",
            type: "job.\(delivery.state.rawValue)",
            source: delivery.function,
            time: delivery.ended,
            traceparent: trace.traceparent,
            data: Bytes(delivery.body)
        )
    }

    private static func cloudEvent(_ delivery: Delivery, _ trace: TraceContext, id: String) -> CloudEvent {
        CloudEvent(
            id: id,
            source: "/functions/\(delivery.function)",
            type: "swiftlet.job.\(delivery.state.rawValue)",
            subject: delivery.job,
            time: delivery.ended,
            dataContentType: "application/json",
            extensions: ["traceparent": trace.traceparent],
            data: Bytes(delivery.body)
        )
    }

    private func request(
        _ delivery: Delivery,
        _ trace: TraceContext,
        to url: String
    ) -> OutboundRequest {
        let id = "\(delivery.job)-\(delivery.state.rawValue)"
        let time = "\(clock.now.nanoseconds / 1_000_000_000)"
        // In binary mode a CloudEvent is the same request with some more fields.
        var headers = DeliveryRelay.cloudEvent(delivery, trace, id: id).headers
        headers += [
            Header("webhook-id", id), Header("webhook-timestamp", time),
            Header("traceparent", trace.traceparent),
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
