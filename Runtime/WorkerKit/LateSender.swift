import CShims
import Glibc
import Synchronization

/// Sends replies that are done while a later handler of the same batch takes its time.
///
/// The reader thread writes once a batch, which a slow handler would hold up for all before it. A thread, made
/// when first two invocations come in one batch, looks every few milliseconds as long as that goes on, and
/// sleeps otherwise.
///
/// Threading: `watch` on the reader thread.
final class LateSender: Sendable {
    /// How long a reply that is done waits for the others at most, twice that, in microseconds.
    private static let pause: UInt32 = 5000
    /// After so many looks for nothing the thread sleeps until it is needed.
    private static let patience = 20

    private enum State: UInt8, AtomicRepresentable {
        case none, asleep, awake
    }

    private let channel: HostChannel
    private let state = Atomic(State.none)
    private let isNeeded = Atomic(false)
    // SAFETY: made once, never freed; semaphores are for many threads.
    private nonisolated(unsafe) let wakeUp = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init(channel: HostChannel) {
        self.channel = channel
        sem_init(wakeUp, 0, 0)
    }

    /// A handler begins while replies wait to be sent.
    func watch() {
        isNeeded.store(true, ordering: .sequentiallyConsistent)
        switch state.load(ordering: .sequentiallyConsistent) {
        case .awake: break
        case .asleep:
            let exchanged = state.compareExchange(
                expected: .asleep,
                desired: .awake,
                ordering: .sequentiallyConsistent
            ).exchanged
            if exchanged { sem_post(wakeUp) }
        case .none:
            state.store(.awake, ordering: .sequentiallyConsistent)
            start()
        }
    }

    private func start() {
        // SAFETY: balanced by `takeRetainedValue` on the thread; without a thread the object just stays.
        let argument = Unmanaged.passRetained(self).toOpaque()
        startThread(argument) { argument in
            swiftlet_name_thread("late-sender")
            // SAFETY: the pointer was made above, for this thread alone.
            if let argument { Unmanaged<LateSender>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }
    }

    private func run() {
        var looksForNothing = 0
        var sent = channel.batches
        while true {
            usleep(LateSender.pause)
            if channel.batches == sent { channel.flush() }
            sent = channel.batches
            let needed = isNeeded.exchange(false, ordering: .sequentiallyConsistent)
            looksForNothing = needed ? 0 : looksForNothing + 1
            if looksForNothing > LateSender.patience, channel.isClean { sleepUntilNeeded() }
        }
    }

    private func sleepUntilNeeded() {
        state.store(.asleep, ordering: .sequentiallyConsistent)
        // Needed in the very moment: whoever asked saw this thread awake and does not wake it.
        if isNeeded.load(ordering: .sequentiallyConsistent) {
            let exchanged = state.compareExchange(
                expected: .asleep,
                desired: .awake,
                ordering: .sequentiallyConsistent
            ).exchanged
            if exchanged { return }
        }
        while sem_wait(wakeUp) != 0 {}
    }
}
