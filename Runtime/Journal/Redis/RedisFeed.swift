import FunctionCore
import NIOCore
import RedisTrigger
import Storage

/// What hosts tell each other of their steps, so that one that is idle need not look.
///
/// A message may be lost, and costs a look: after each connection everything is looked at, and the runner
/// looks every five seconds besides.
final class RedisFeed: Sendable {
    private let client: RedisClient

    /// `schedules` wakes who looks at what hosts share of their schedules.
    init(_ shared: RedisClient, _ jobs: RedisJobs, schedules: WakeSignal) {
        let channel = jobs.keys.feed
        let box = RedisFeedClient()
        client = shared.sibling(
            name: "swiftlet-journal",
            onChange: { error in
                guard error == nil else { return }
                box.client?.submit(["SUBSCRIBE", channel]) { _ in
                    jobs.due.wake()
                    schedules.wake()
                    jobs.deliveries.appended.wake()
                }
            },
            onMessage: { message in
                if message.payload.text.hasPrefix("schedules ") {
                    schedules.wake()
                } else {
                    jobs.heard(message.payload)
                }
            }
        )
        box.client = client
        client.start()
    }

    func close() async { await client.shutdown() }
}

/// The feed's client, which its own call-backs have to know.
// SAFETY: written once, before `start`; read on the client's loop only, which `start` hops to.
private final class RedisFeedClient: @unchecked Sendable {
    weak var client: RedisClient?
}
