import FunctionCore
import Journal
import NIOCore
import Storage
import UserData

/// Forgets what is old, once an hour of real time: ended jobs, old keys, relayed events.
///
/// Not temporary blobs: on a virtual clock that jumps, those of a running job are old at once. They go with
/// their invocation, and those of a host that was killed at the next start.
struct Housekeeping {
    let stores: HostStores
    let clock: VirtualClock
    let loop: any EventLoop
    let keepJobs: Duration

    /// How many ended jobs are kept at most.
    private static let jobsMax = 100_000

    /// Runs until the task is cancelled.
    func run() async {
        let wake = WakeSignal()
        let timer = Timer(loop: loop) { wake.wake() }
        timer.set(.seconds(60))
        for await _ in wake.wakes() {
            let now = clock.now
            // What fails now is tried again in an hour; the stores say by themselves when they are full.
            _ = try? await stores.journal.prune(
                jobsEndedBefore: now - keepJobs,
                keepJobs: Housekeeping.jobsMax,
                now: now
            )
            try? await ResultBlobs(stores.blobs).sweep(stores.journal.jobs)
            timer.set(.seconds(3600))
        }
        timer.cancel()
    }
}
