import FunctionCore
import Invocations
import Journal
import Scheduling
import Storage
import Synchronization

/// What the scheduler hears from others, in its order.
///
/// Taken all at once: what has come meanwhile is answered by one look and one transaction. Bounded by what
/// feeds it: each run and job ends once, a command has somebody who waits for it, and ticks are not kept.
final class SchedulerInbox: Sendable {
    enum Input: Sendable {
        case jobEnded(String, ScheduleMachine.RunEnd)
        case runEnded(Scheduler.Run, ScheduleMachine.RunEnd)
        case checkpointed(Scheduler.Checkpoint, CollectedReply?)
        case replaced(Project)
        case command(ScheduleMachine.Fact, CheckedContinuation<[ScheduleMachine.Action], any Error>)
    }

    private let waiting = Mutex<[Input]>([])
    private let signal = WakeSignal()

    func put(_ input: Input) {
        waiting.withLock { $0.append(input) }
        signal.wake()
    }

    /// Has the scheduler look at the clock.
    func tick() {
        signal.wake()
    }

    func takeAll() -> [Input] {
        waiting.withLock { inputs in
            defer { inputs = [] }
            return inputs
        }
    }

    func wakes() -> AsyncStream<Void> { signal.wakes() }
}
