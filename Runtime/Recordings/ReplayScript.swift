import FunctionCore
import Synchronization

/// A recording that is run again, and what came of it.
package final class ReplayScript: Sendable {
    package let recording: Recording
    package let player: TapePlayer
    private let ended = Mutex<Recording?>(nil)

    package init(
        _ recording: Recording,
        scrubber: Scrubber,
        sleep: (@Sendable (Duration) async -> Void)?
    ) {
        self.recording = recording
        player = TapePlayer(recording.tape, scrub: { scrubber.clean($0) }, sleep: sleep)
    }

    /// What the run was like; nil before its end.
    package var run: Recording? { ended.withLock { $0 } }

    package func end(_ run: Recording) {
        player.end()
        ended.withLock { $0 = run }
    }
}

extension Recording {
    /// What was different in another run of it, in sentences: outcome, reply, and how often the clock was read.
    package func differences(to run: Recording) -> [String] {
        var found: [String] = []
        func compare(_ what: String, _ old: some Equatable, _ new: some Equatable, _ same: Bool) {
            if !same { found.append("\(what) is \(new), it was \(old)") }
        }
        func word(_ text: String?) -> String { text ?? "none" }
        let (old, new) = (outcome, run.outcome)
        compare("the outcome", old.label, new.label, old.label == new.label)
        if old.label == new.label {
            compare(
                "the error",
                word(old.error?.code),
                word(new.error?.code),
                old.error?.code == new.error?.code
            )
            // A worker's last words name its process and its memory, which are never the same.
            if !["worker_lost", "out_of_memory"].contains(old.label), old.error?.code == new.error?.code {
                let (before, after) = (old.error?.message, new.error?.message)
                compare("the error's message", word(before), word(after), before == after)
            }
        }
        compare(
            "the reply's status",
            reply?.status ?? 0,
            run.reply?.status ?? 0,
            reply?.status == run.reply?.status
        )
        if let reply, let other = run.reply {
            let (before, after) = (text(reply.headers), text(other.headers))
            compare("the reply's header", before, after, before == after)
            if reply.digest != other.digest {
                let (bytes, otherBytes) = (reply.body.bytes, other.body.bytes)
                found.append("the reply's body differs: \(JSONDifference.between(bytes, otherBytes))")
            }
        }
        if outcome.label != "timed_out", incomplete == nil, clock.count != run.clock.count {
            found.append("the clock is read \(run.clock.count) times, it was read \(clock.count) times")
        }
        return found
    }

    private func text(_ headers: [RecordedHeader]) -> String {
        headers.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
    }
}
