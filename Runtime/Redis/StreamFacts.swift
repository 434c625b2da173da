import FunctionCore
import Invocations

/// What the stream machine is set up with.
package struct StreamSettings: Sendable {
    /// Entries in one event.
    package var batch: Int
    /// Events under way at once.
    package var concurrency: Int
    package var retry: Manifest.Retry
    /// How long an entry must lie with a consumer before another takes it over.
    package var minIdle: Duration
    /// How long a batch that is not full waits for more.
    package var window = Duration.zero
    /// Which entries reach the function.
    package var filter = StreamFilter()
    /// How long entries stay in the stream once all groups are done with them; nil for as long as it stands.
    package var keep: Duration?

    /// Entries asked for at once: a reply of these, each of some kilobytes, still fits a turn of the loop.
    static let readBound = 500

    /// The manifest's settings; an entry may be taken over after twice the function's `timeout`, not before a
    /// minute.
    package init(batch: Int, concurrency: Int, manifest: Manifest) {
        self.init(
            batch: batch,
            concurrency: concurrency,
            retry: manifest.retry,
            minIdle: max(manifest.limits.timeout * 2, .seconds(60))
        )
    }

    /// Those of a stream.
    package init(_ stream: Manifest.Stream, manifest: Manifest) {
        self.init(batch: stream.batch, concurrency: stream.concurrency, manifest: manifest)
        window = stream.window
        filter = StreamFilter(stream.filter, group: stream.group)
        keep = stream.keep
    }

    package init(batch: Int, concurrency: Int, retry: Manifest.Retry, minIdle: Duration) {
        self.batch = min(max(batch, 1), 1000)
        self.concurrency = max(concurrency, 1)
        self.retry = retry
        self.minIdle = minIdle
    }

    /// How many entries the machine holds at most: under way, ready, waiting for a retry, or waiting to be
    /// settled.
    ///
    /// Twice what can be under way, and room for 64 retries.
    package var heldBound: Int { 2 * batch * concurrency + 64 }
}

/// An entry that Redis has given to this consumer.
package struct StreamDelivery: Sendable, Hashable {
    package var entry: StreamEntry
    /// How often the function has failed with it already.
    package var failures: Int

    package init(_ entry: StreamEntry, failures: Int = 0) {
        self.entry = entry
        self.failures = failures
    }
}

/// How an entry ends that is acknowledged; the raw text is its counter's name in Redis.
package enum StreamEnding: String, Sendable, CaseIterable {
    case completed, filtered, discarded, lost
}

/// An entry that is given up.
package struct StreamDeadLetter: Sendable, Hashable {
    package var entry: StreamEntry
    /// The last failure's code, and what it said.
    package var code: String
    package var message: String
    /// How often the function was tried.
    package var attempts: Int

    package init(entry: StreamEntry, code: String, message: String, attempts: Int) {
        self.entry = entry
        self.code = code
        self.message = message
        self.attempts = attempts
    }

    init(_ entry: StreamEntry, _ outcome: Outcome, attempts: Int) {
        let (code, message) = outcome.failure
        self.init(entry: entry, code: code, message: message, attempts: attempts)
    }

    /// `code: message`.
    package var reason: String { "\(code): \(message)" }
}

/// What went wrong with Redis, as far as the machine decides by it.
package enum StreamFailure: Sendable, Hashable {
    /// The group or the whole stream is gone: it is made again at once.
    case groupGone
    /// An operator has to act: wrong type, no right. Tried again every five seconds.
    case misconfigured
    /// It will pass: no connection, LOADING, READONLY, MISCONF, OOM, BUSY and whatever else. Tried again with
    /// back-off.
    case passing

    package init(_ error: RedisError) {
        switch error.kind {
        case "NOGROUP", "UNBLOCKED": self = .groupGone
        case "WRONGTYPE", "NOAUTH", "NOPERM", "WRONGPASS": self = .misconfigured
        default: self = .passing
        }
    }
}

/// What has happened to a stream's consumer.
package enum StreamFact: Sendable {
    case connected
    case groupReady
    /// The reply to `read` or `readPending`; to the latter, none means that there are no more.
    case entriesRead([StreamDelivery])
    case readTimedOut
    /// The last step failed: connecting, the group, or a read.
    case redisFailed(StreamFailure)
    /// The reply to `claimStale`: entries, where to go on (`0-0` at the end), and ids whose data was trimmed
    /// away.
    case claimed([StreamDelivery], cursor: String, lost: [String])
    case claimFailed
    /// An event is over; where it succeeded, all but the entries that are named as failed are done.
    case eventFinished(Int, Outcome, failed: [String: FunctionError] = [:])
    /// The time of `armWindow` is over.
    case windowOver
    case retryDue(String)
    case settled([String])
    case settleFailed([String])
    case settleDue
    case claimTick
    case stop
    /// The time for draining is over.
    case graceOver
}

/// What is to be done for a stream's consumer.
package enum StreamAction: Sendable, Hashable {
    case ensureGroup
    /// Read this consumer's own pending entries behind an id.
    case readPending(after: String, count: Int)
    /// Read new entries, waiting for the first.
    case read(count: Int)
    /// Run the function.
    case deliver(event: Int, entries: [StreamEntry], attempt: Int)
    /// Acknowledge; `counted` tells whether failures were recorded that can be forgotten now.
    case ack([String], counted: Bool, as: StreamEnding = .completed)
    case deadLetter(StreamDeadLetter)
    /// Keep an entry's number of failures.
    case recordFailure(String, count: Int)
    case retryAt(String, delay: Duration)
    /// Take over what lies idle with other consumers.
    case claimStale(cursor: String, count: Int)
    /// Tell Redis that these are still being worked on.
    case renew([String])
    /// Tell `claimTick` after this time.
    case armClaim(after: Duration)
    /// Tell `settleDue` after this time.
    case settleAgain(after: Duration)
    /// Tell `connected` after this time, as soon as there is a connection.
    case reconnect(after: Duration)
    /// Report ids whose data was trimmed away before they were run.
    case lost([String])
    /// Tell `windowOver` after this time.
    case armWindow(after: Duration)
    /// Remove what all groups are done with.
    case trim
    case drained
}
