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
    /// What was different in another run of it, in sentences: calls, which are given, outcome, reply, and how often
    /// the clock was read.
    package func differences(to run: Recording, calls: [String] = []) -> [String] {
        var found = calls
        func compare(_ what: String, _ old: String, _ new: String) {
            guard old != new else { return }
            found.append("\(what) is \(new), it was \(old)\(UnrecordedSource.between(old, new).hint)")
        }
        let (old, new) = (outcome, run.outcome)
        compare("the outcome", old.label, new.label)
        if old.label == new.label {
            let (before, after) = (old.error, new.error)
            compare("the error", before?.code ?? "none", after?.code ?? "none")
            // A worker's last words name its process and its memory, which are never the same.
            if !["worker_lost", "out_of_memory"].contains(old.label), before?.code == after?.code {
                compare("the error's message", before?.message ?? "none", after?.message ?? "none")
            }
        }
        compare("the reply's status", "\(reply?.status ?? 0)", "\(run.reply?.status ?? 0)")
        if let reply, let other = run.reply {
            compare("the reply's header", text(reply.headers), text(other.headers))
            if reply.digest != other.digest {
                let (bytes, otherBytes) = (reply.body.bytes, other.body.bytes)
                found.append("the reply's body differs: \(JSONDifference.between(bytes, otherBytes))")
            }
        }
        if outcome.label != "timed_out", incomplete == nil, clock.count != run.clock.count {
            found.append("the clock is read \(run.clock.count) times, it was read \(clock.count) times")
        }
        if !found.isEmpty, !bundle.isEmpty, bundle == run.bundle,
            !found.contains(where: UnrecordedSource.isTold)
        {
            found.append(
                "the code is the same, so it has seen what no recording has: Date(), UUID(), the system's random "
                    + "numbers, a file or its environment; context.now and context.random are brought back"
            )
        }
        return found
    }

    private func text(_ headers: [RecordedHeader]) -> String {
        headers.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
    }
}
