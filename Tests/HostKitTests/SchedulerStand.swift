import FunctionCore
import HostKit
import Invocations
import Journal
import Scheduling
import Synchronization
import TestSupport
import Testing

/// A scheduler over a real journal and a recorder, on a clock that stands still.
struct SchedulerStand: Sendable {
    static let files = [
        "functions/T/function.yaml": manifestText("trading"),
        "functions/L/function.yaml": manifestText("learning"),
        "schedules/market.yaml": """
        rotation: market
        calendar: XNYS
        phases:
          trading: {from: open, until: close-5m, drain: 60s, function: trading, every: 1h}
          learning: {from: close+15m, until: open-30m, drain: 5m, function: learning, every: 6h}
        """,
    ]

    let project: Project
    let journal: HostJournal
    let clock: VirtualClock
    let recorder: Recorder
    let tokens: WindowTokens
    let scheduler: Scheduler
    let warmth = WarmthRecorder()

    init(_ folder: ProjectFolder, _ journal: HostJournal, _ clock: VirtualClock, _ recorder: Recorder) {
        project = folder.load().project
        self.journal = journal
        self.clock = clock
        self.recorder = recorder
        tokens = WindowTokens(rotationOf: project.book.rotationOf, clock: clock)
        scheduler = Scheduler(
            project: project,
            journal: journal,
            dispatching: recorder,
            loop: testLoop,
            clock: clock,
            tokens: tokens,
            warmth: warmth,
            telemetry: quietTelemetry(clock)
        )
    }

    /// Runs `body` beside the scheduler, and stops that.
    @discardableResult
    func whileRunning<Result>(_ body: () async throws -> Result) async throws -> Result {
        let task = Task { await scheduler.run() }
        do {
            let result = try await body()
            await scheduler.stop()
            await task.value
            return result
        } catch {
            for number in recorder.seen.indices { recorder.end(number) }
            await scheduler.stop()
            throw error
        }
    }

    func stage(_ window: String) async -> String {
        await scheduler.windows().first { $0.window == window }?.stage ?? "none"
    }

    /// Sets the clock and waits for the run of that very instant.
    func step(to instant: Instant) async throws -> Recorder.Seen {
        clock.set(instant)
        let seen = try await recorder.wait("the run of \(instant.rfc3339)") { seen in
            seen.contains { $0.nominal == instant }
        }
        guard let run = seen.last(where: { $0.nominal == instant }) else { throw Missing(what: "the run") }
        return run
    }
}

/// Tells for which functions a worker is kept.
final class WarmthRecorder: Warmth {
    private let functions = Mutex<Set<String>>([])
    private let rested = Mutex<[String]>([])

    var rests: [String] { rested.withLock { $0 } }

    var warm: Set<String> { functions.withLock { $0 } }

    func keepWarm(_ function: String) { functions.withLock { _ = $0.insert(function) } }
    func letCool(_ function: String) { functions.withLock { _ = $0.remove(function) } }
    func rest(_ function: String) { rested.withLock { $0.append(function) } }
}

extension Recorder.Seen {
    var event: ScheduledEvent? { try? invocation.event.decode(ScheduledEvent.self) }
    var nominal: Instant? { event?.nominal }
}
