import FunctionCore

/// One attempt of an invocation, with all that its function saw: enough to run it again.
///
/// Environment by name only, and without secrets: what is kept has been through a `Scrubber`.
package struct Recording: Sendable, Codable {
    /// The form of the file; a reader refuses any other.
    package static let format = 1

    package var format = Recording.format
    package var id: String
    package var function: String
    package var trigger: String
    /// The content hash of the bundle that ran.
    package var bundle = ""
    package var attempt: Int
    package var depth: Int
    package var principal: String?
    package var fencingToken: UInt64?
    /// As a `traceparent`.
    package var trace: String
    /// When it ended, on the host's wall clock.
    package var recorded: Instant
    package var event: RecordedEvent
    /// The names that `environment:` granted.
    package var environment: [String]
    /// The manifest's limits, by name.
    package var limits: [String: Int]
    /// What it had of time, in nanoseconds.
    package var remaining: Int64
    /// In hexadecimal digits.
    package var seed: String
    /// What each reading of the clock gave, in nanoseconds since the epoch.
    package var clock: [Int64]
    package var tape: [TapeStep]
    /// Why it cannot be run again as it was; nil where it can.
    package var incomplete: String?
    package var outcome: RecordedOutcome
    /// As far as one had begun.
    package var reply: RecordedReply?

    package init(
        id: String,
        function: String,
        trigger: String,
        attempt: Int,
        depth: Int,
        principal: String?,
        fencingToken: UInt64?,
        trace: TraceContext,
        recorded: Instant,
        event: Event,
        environment: [String],
        limits: [String: Int],
        remaining: Duration,
        seed: UInt64,
        outcome: RecordedOutcome
    ) {
        self.id = id
        self.function = function
        self.trigger = trigger
        self.attempt = attempt
        self.depth = depth
        self.principal = principal
        self.fencingToken = fencingToken
        self.trace = trace.traceparent
        self.recorded = recorded
        self.event = RecordedEvent(event)
        self.environment = environment
        self.limits = limits
        self.remaining = remaining.nanoseconds
        self.seed = String(seed, radix: 16)
        self.outcome = outcome
        clock = []
        tape = []
    }

    /// Reads a file.
    /// - Throws: `FunctionError` 422 that says what is wrong with it.
    package init(_ bytes: Bytes) throws {
        do {
            self = try JSONCoder.decode(Recording.self, from: bytes)
        } catch {
            throw FunctionError.invalid("recording", "format", "this is no recording: \(error)")
        }
        guard format == Recording.format, UInt64(seed, radix: 16) != nil,
            TraceContext(traceparent: trace) != nil, Event.Kind(name: event.kind) != nil
        else {
            let message =
                "the recording has the form \(format), or is damaged; this program reads \(Recording.format)"
            throw FunctionError.invalid("recording", "format", message)
        }
    }

    package var seedValue: UInt64 { UInt64(seed, radix: 16) ?? 0 }
    package var traceContext: TraceContext { TraceContext(traceparent: trace) ?? .begin() }
}

/// How a recorded attempt ended.
package struct RecordedOutcome: Sendable, Codable, Hashable {
    /// The outcome's word, as in logs and metrics.
    package var label: String
    package var error: RecordedError?

    package init(label: String, error: FunctionError?) {
        self.label = label
        self.error = error.map { RecordedError($0) }
    }
}

/// The reply of a recorded attempt.
package struct RecordedReply: Sendable, Codable, Hashable {
    package var status: Int
    package var headers: [RecordedHeader]
    /// The first of it, `Tape.replyMax` bytes at most.
    package var body: RecordedBytes
    /// The whole body's length and digest.
    package var count: Int
    package var digest: String

    /// Puts a whole body in the place of another.
    package mutating func replace(_ bytes: Bytes) {
        var new = Digest()
        new.add(bytes.array)
        body = RecordedBytes(bytes)
        digest = new.text
        count = bytes.count
    }
}

/// An error with all that a function or its caller sees of it.
package struct RecordedError: Sendable, Codable, Hashable {
    package var status: Int
    package var code: String
    package var message: String
    package var faults: [Fault]
    /// `byPolicy`, `never`, `discard`, or the nanoseconds after which it may be tried again.
    package var retry: String

    package init(_ error: FunctionError) {
        status = error.status
        code = error.code
        message = error.message
        faults = error.faults
        retry =
            switch error.retry {
            case .byPolicy: "byPolicy"
            case .never: "never"
            case .discard: "discard"
            case .after(let wait): "\(wait.nanoseconds)"
            }
    }

    package var error: FunctionError {
        let retry: FunctionError.Retry =
            switch self.retry {
            case "never": .never
            case "discard": .discard
            default: Int64(self.retry).map { .after(.nanoseconds($0)) } ?? .byPolicy
            }
        return FunctionError(status: status, code: code, message: message, faults: faults, retry: retry)
    }
}

/// Bytes in a file that people read: as text where they are UTF-8, else as Base64.
package struct RecordedBytes: Sendable, Codable, Hashable {
    package var bytes: Bytes

    package init(_ bytes: Bytes) {
        self.bytes = bytes
    }

    private enum CodingKeys: String, CodingKey { case text, base64 }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let text = try container.decodeIfPresent(String.self, forKey: .text) {
            bytes = Bytes(text)
        } else {
            bytes = try container.decode(Bytes.self, forKey: .base64)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        if let text = String(validating: bytes.array, as: UTF8.self) {
            try container.encode(text, forKey: .text)
        } else {
            try container.encode(bytes, forKey: .base64)
        }
    }
}
