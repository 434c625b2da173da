import FunctionCore

/// One attempt of an invocation that has ended, as the book keeps it.
package struct ActivityEntry: Sendable {
    /// Its place in the book, from 1 and rising, which the book gives it; for paging.
    package internal(set) var number = 0
    /// The invocation's id; all attempts of a job have the same.
    package var id: String
    package var function: String
    /// What asked for it.
    package var trigger: String
    package var operation: String
    /// From 1.
    package var attempt: Int
    package var trace: String
    /// The attempt's own span.
    package var span: UInt64 = 0
    private var parentID: UInt64 = 0
    /// Its places in other traces, where it did something of several at once.
    package var otherPlaces: [SpanPlace] = []
    /// On the host's wall clock.
    package var ended: Instant
    /// The same on the real clock, by which the spans of a trace lie in each other.
    package var clock = Monotonic(nanoseconds: 0)
    /// How long it waited for a worker.
    package var queued: Duration
    /// From the worker's having it to its end.
    package var ran: Duration
    /// Whether a worker was started for it; what the start took is part of `queued`.
    package var isCold: Bool
    private var parentIsRemote = false
    // Of ten thousand entries each word counts, so that what is small lies here, beside each other.
    private var startupMicroseconds: UInt32 = 0
    /// The worker's process, or 0 where none had it.
    package var worker: Int32
    /// The outcome's word, as in logs and metrics.
    package var outcome: String
    /// The reply's status, or the error's.
    package var status: Int
    package var error: ActivityError?
    /// Its binding calls in the order in which they began, at most `callMax` of them.
    package var calls: [ActivityCall] = []
    /// How many calls are not among them.
    package var callsLeftOut = 0
    package var bytesIn: Int
    package var bytesOut: Int
    /// Whether it is kept so that it can be run again.
    package var isRecorded = false
    /// The invocation of which it is a repetition.
    package var replayOf: String?

    package init(
        id: String,
        function: String,
        trigger: String,
        operation: String,
        attempt: Int,
        trace: String,
        ended: Instant,
        queued: Duration,
        ran: Duration,
        isCold: Bool,
        worker: Int32,
        outcome: String,
        status: Int,
        error: ActivityError?,
        bytesIn: Int,
        bytesOut: Int
    ) {
        self.id = id
        self.function = function
        self.trigger = trigger
        self.operation = operation
        self.attempt = attempt
        self.trace = trace
        self.ended = ended
        self.queued = queued
        self.ran = ran
        self.isCold = isCold
        self.worker = worker
        self.outcome = outcome
        self.status = status
        self.error = error
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
    }

    /// The span that asked for it.
    package var parent: ParentSpan {
        get { ParentSpan(parentID, isRemote: parentIsRemote) }
        set { (parentID, parentIsRemote) = (newValue.id, newValue.isRemote) }
    }

    /// What the worker's start took, to the microsecond.
    package var startup: Duration {
        get { .microseconds(Int64(startupMicroseconds)) }
        set { startupMicroseconds = UInt32(clamping: newValue.nanoseconds / 1000) }
    }

    /// When it arrived: its end less what it took, which a clock that was set meanwhile does not change.
    package var began: Instant { ended - (queued + ran) }

    /// How many calls of one attempt are kept.
    package static let callMax = 32
}

/// How an attempt failed.
///
/// A class, as few entries have one: it takes one word of the others.
package final class ActivityError: Sendable {
    package let code: String
    package let message: String

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

/// One binding call of an attempt.
package struct ActivityCall: Sendable, Hashable {
    package var binding: String
    package var method: String
    /// From the worker's having the invocation to the call's arrival at the host.
    package var offset: Duration
    /// To the end of its answer; nil where the invocation ended before.
    package var duration: Duration?
    /// The code of the error that answered it.
    package var error: String?
    /// For how many calls it stands: reports of progress that follow one another are one.
    package var times = 1
    /// What the service told of it.
    package var facts: [SpanAttribute] = []

    package init(binding: String, method: String, offset: Duration, duration: Duration?, error: String?) {
        self.binding = binding
        self.method = method
        self.offset = offset
        self.duration = duration
        self.error = error
    }
}
