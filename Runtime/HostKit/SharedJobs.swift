import FunctionCore
import Invocations
import Journal
import NIOCore
import Scheduling
import Storage

/// What a host does besides where hosts share their jobs: gives the engine the jobs that its own file has
/// accepted, tells the scheduler of those that have ended on another host, and has it share what it notes of its
/// schedules.
struct SharedJobs {
    let jobs: any JobEngine
    let outbox: JobOutbox
    let schedules: SharedSchedules
    let scheduler: Scheduler
    let clock: VirtualClock
    let loop: any EventLoop
    let telemetry: Telemetry

    /// Works until the task is cancelled; looks when the outbox has got something or another host has said
    /// something, every five seconds at least, and every second while the engine's server is away.
    func run() async {
        let wakes = outbox.appended.wakes()
        let timer = Timer(loop: loop) { [outbox] in outbox.appended.wake() }
        var isAway = false
        outbox.appended.wake()
        for await _ in wakes {
            do {
                try await give()
                try await lookAfter()
                try await scheduler.share()
                isAway = false
                timer.set(.seconds(5))
            } catch {
                if !isAway {
                    let fields: [(String, JSON)] = [("reason", .string("\(error)"))]
                    telemetry.note(.error, "jobs of schedules wait for the journal's Redis", fields)
                }
                isAway = true
                timer.set(.seconds(1))
            }
        }
        timer.cancel()
    }

    private func give() async throws {
        while true {
            let waiting = try await outbox.pending(limit: 64)
            if waiting.isEmpty { return }
            for job in waiting {
                try await jobs.accept(job, now: clock.now)
                if let schedule = job.countsFor { try await schedules.ran(schedule, job: job.id) }
                try await outbox.done(job.id)
            }
        }
    }

    private func lookAfter() async throws {
        for id in await scheduler.openJobs {
            let job = try await jobs.job(id)
            if let job, !job.state.isFinal { continue }
            // One that is not there is over and pruned, or was made this moment.
            if job == nil, try await outbox.holds(id) { continue }
            scheduler.jobEnded(id, job.flatMap { ScheduleMachine.RunEnd($0.state) } ?? .cancelled)
        }
    }
}
