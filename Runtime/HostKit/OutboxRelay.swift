import Activity
import FunctionCore
import Journal
import NIOCore
import Observe
import RedisTrigger
import Storage
import UserData

/// Carries emitted events from the outboxes to Redis, at least once and in order of an outbox, and marks them
/// after.
package final class OutboxRelay: Sendable {
    private let journal: HostJournal
    private let shards: ShardOutbox
    private let publisher: EventPublisher
    private let clock: VirtualClock
    private let loop: any EventLoop
    private let telemetry: Telemetry
    private let wake = WakeSignal()

    private static let batch = 256

    package init(
        journal: HostJournal,
        shards: ShardOutbox,
        publisher: EventPublisher,
        clock: VirtualClock,
        loop: any EventLoop,
        telemetry: Telemetry
    ) {
        self.journal = journal
        self.shards = shards
        self.publisher = publisher
        self.clock = clock
        self.loop = loop
        self.telemetry = telemetry
    }

    /// Relays until the task is cancelled.
    ///
    /// Looks every five seconds at least; after a failure every second.
    package func run() async {
        let wake = self.wake
        await withDiscardingTaskGroup { group in
            let timer = Timer(loop: self.loop) { wake.wake() }
            let wakes = wake.wakes()
            // Heard from here on, not from when the tasks come to run.
            for appended in [journal.outbox.appended.wakes(), shards.appended.wakes()] {
                group.addTask {
                    for await _ in appended { wake.wake() }
                }
            }
            wake.wake()
            for await _ in wakes {
                timer.set(await self.relayAll() ? .seconds(5) : .seconds(1))
            }
            timer.cancel()
            group.cancelAll()
        }
    }

    /// Relays all there is; false where something is left that could not be sent.
    private func relayAll() async -> Bool {
        do {
            while !Task.isCancelled {
                let own = try await journal.outbox.pending(limit: OutboxRelay.batch)
                let users = try await shards.pending(limit: OutboxRelay.batch)
                telemetry.metrics.set("swiftlet_outbox_pending", to: Double(own.count + users.count))
                if own.isEmpty, users.isEmpty { return true }
                let sentOwn = await publish(own)
                try await journal.outbox.markRelayed(Array(sentOwn), now: clock.now)
                let sentUsers = await publish(users.map(\.event))
                let marked = users.filter { sentUsers.contains($0.event.id) }
                try await shards.markRelayed(marked, now: clock.now)
                if sentOwn.count < own.count || marked.count < users.count { return false }
            }
            return true
        } catch {
            telemetry.note(.error, "the outbox cannot be read", [("reason", .string("\(error)"))])
            return false
        }
    }

    /// Publishes in order and returns the ids of what Redis took.
    ///
    /// What was taken behind an event that was refused counts as well, or it would be sent anew each second
    /// for as long as that one is refused, such as where a key that is no stream has the stream's name.
    private func publish(_ events: [OutboxEvent]) async -> Set<String> {
        guard !events.isEmpty else { return [] }
        let began = Monotonic.now
        let traces = events.map { OutboxRelay.trace(of: $0) }
        let rows = zip(events, traces).map {
            OutgoingRow(
                id: $0.id,
                type: $0.type,
                source: $0.source,
                time: $0.time,
                traceparent: $1?.traceparent,
                data: Bytes($0.data)
            )
        }
        var sent: Set<String> = []
        for ((event, trace), result) in zip(zip(events, traces), await publisher.publish(rows)) {
            guard case .success(let entry) = result else { continue }
            sent.insert(event.id)
            telemetry.metrics.add("swiftlet_events_relayed_total")
            let fields: [(String, JSON)] = [
                ("event", .string(event.type)), ("id", .string(event.id)), ("entry", .string(entry)),
                ("trace", .string(trace?.traceID ?? "")),
            ]
            telemetry.note(.info, "event relayed", function: event.source, fields)
            if let trace { note(event, trace, since: began, entry) }
        }
        return sent
    }

    /// The place of an event's publishing, which follows from the event, as it may be published twice.
    ///
    /// Who reads it is below that, so that events which one call has told of are not taken for each other.
    private static func trace(of event: OutboxEvent) -> TraceContext? {
        event.traceparent.flatMap { TraceContext(traceparent: $0) }.map {
            $0.at(SpanID.derived(from: $0.span, event.id))
        }
    }

    private func note(_ event: OutboxEvent, _ trace: TraceContext, since began: Monotonic, _ entry: String) {
        let caller = event.traceparent.flatMap { TraceContext(traceparent: $0) }
        telemetry.enter(
            SpanPlace(trace, parent: ParentSpan(caller, isRemote: false)),
            "publish \(event.type)",
            .producer,
            function: event.source,
            since: began,
            [
                SpanAttribute("messaging.system", "redis"),
                SpanAttribute("messaging.message.id", .string(entry)),
                SpanAttribute("swiftlet.event", .string(event.id)),
            ]
        )
    }
}
