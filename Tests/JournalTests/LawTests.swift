import FunctionCore
import Invocations
import Journal
import Seeds
import Storage
import Testing
import TestSupport

@Suite("The law holds on every engine", .timeLimit(.minutes(2)))
struct LawTests {
    @Test(
        "it holds after every step of any sequence, and after each start",
        arguments: Engine.allCases,
        0..<6
    )
    func sequences(_ engine: Engine, _ seed: UInt64) async throws {
        try await withPlace(engine) { place in
            var random = SeededRandom(seed)
            var journal = try await place.open()
            var accepted = 0
            var running: [String: Int64] = [:]
            for second in 0..<150 {
                let now = at(Int64(second * 10))
                let fault = JobError(code: "broken", message: "", status: 500)
                let one = running.randomElement(using: &random)
                switch Int.random(in: 0..<12, using: &random) {
                case 0...3:
                    accepted += 1
                    try await journal.jobs.accept(
                        job(["video", "script"].randomElement(using: &random)!),
                        now: now
                    )
                case 4, 5:
                    let room = ["video": 2, "script": 2]
                    for job in try await journal.jobs.claim(limit: 3, capacity: room, now: now) {
                        running[job.id] = job.lease
                    }
                case 6:
                    guard let (id, lease) = one else { continue }
                    let result = JobResult(status: 200, contentType: "a/b", body: "x")
                    _ = try? await journal.jobs.complete(id, lease: lease, result, now: now)
                case 7:
                    guard let (id, lease) = one else { continue }
                    _ = try? await journal.jobs.fail(id, lease: lease, fault, retryAt: now, now: now)
                case 8:
                    guard let (id, lease) = one else { continue }
                    if Bool.random(using: &random) { _ = try? await journal.jobs.cancel(id, now: now) }
                    _ = try? await journal.jobs.discard(id, lease: lease, fault, now: now)
                case 9: _ = try await journal.jobs.rescue(alive: [], now: now)
                case 10:
                    _ = try await journal.jobs.redrive(JobFilter(function: "video"), now: now)
                    _ = try await journal.jobs.purge(JobFilter(), now: now)
                default:
                    _ = try await journal.prune(jobsEndedBefore: now - .seconds(200), keepJobs: 5, now: now)
                    guard Bool.random(using: &random) else { break }
                    await journal.close()
                    if engine == .sqlite {
                        let stopped = try await HostJournal.audit(stopped: place.workspace.path)
                        #expect(stopped.reduce(0) { $0 + $1.accepted } == accepted)
                    }
                    journal = try await place.open()
                    _ = try await journal.recover(now: now)
                }
                let lines = try await journal.jobs.audit()
                #expect(isBalanced(lines), "seed \(seed), step \(second): \(lines)")
                #expect(lines.reduce(0) { $0 + $1.accepted } == accepted, "seed \(seed), step \(second)")
            }
            await journal.close()
        }
    }
}
