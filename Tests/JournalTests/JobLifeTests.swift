import FunctionCore
import Journal
import Seeds
import Testing

@Suite(.timeLimit(.minutes(1)))
struct JobLifeTests {
    private static let facts: [JobLife.Fact] = [
        .accepted, .claimed(at: at(0), until: at(30)), .renewed(token: 1, until: at(40)),
        .progressed(stage: "half", percent: 50), .succeeded(token: 1), .failed(token: 1, retryAt: at(5)),
        .failed(token: 1, retryAt: nil), .discarded(token: 1), .returned(token: 1, runAt: at(1)),
        .leaseRanOut(at: at(30)), .hostStarted(at: at(2)), .cancelled, .expired, .revived(at: at(3)),
    ]

    @Test("every state allows the facts of its line and no other")
    func table() {
        // One column a fact, in the order above; a dot where it cannot happen.
        let table: [JobState: String] = [
            .created: "queued . . . . . . . . . . cancelled expired .",
            .queued: ". running . . . . . . . . . cancelled expired .",
            .running: ". . running running completed retry_wait failed cancelled queued queued queued "
                + "cancelled . .",
            .retryWait: ". running . . . . . . . . . cancelled expired .",
            .completed: ". . . . . . . . . . . . . .",
            .failed: ". . . . . . . . . . . . . queued",
            .cancelled: ". . . . . . . . . . . . . queued",
            .expired: ". . . . . . . . . . . . . queued",
        ]
        for state in JobState.allCases {
            let lease = state == .running ? JobLease(token: 1, until: at(30)) : nil
            let life = JobLife(
                state: state,
                attempt: 1,
                maxAttempts: 3,
                claims: 1,
                lease: lease,
                runAt: at(0)
            )
            let line = Self.facts.map { (try? life.after($0))?.state.rawValue ?? "." }
            #expect(line.joined(separator: " ") == table[state], "\(state)")
        }
    }

    private func running(_ attempts: Int = 2, recoveries: Int = 10) throws -> JobLife {
        try JobLife(maxAttempts: attempts, maxRecoveries: recoveries, runAt: at(0)).after(.accepted)
            .after(.claimed(at: at(0), until: at(30)))
    }

    @Test("an attempt counts from the claim, and is taken back when the host is to blame")
    func attempts() throws {
        let first = try running()
        #expect(first.attempt == 1 && first.lease == JobLease(token: 1, until: at(30)))
        let back = try first.after(.returned(token: 1, runAt: at(9)))
        #expect(back.attempt == 0 && back.runAt == at(9) && back.recoveries == 0)
        let lost = try first.after(.hostStarted(at: at(9)))
        #expect(lost.attempt == 0 && lost.recoveries == 1)
        let waiting = try first.after(.failed(token: 1, retryAt: at(4)))
        #expect(waiting.state == .retryWait && waiting.lease == nil)
        #expect(throws: JobLife.Refusal.tooEarly) { try waiting.after(.claimed(at: at(3), until: at(9))) }
        let second = try waiting.after(.claimed(at: at(4), until: at(34)))
        #expect(second.attempt == 2 && second.lease?.token == 2)
        let dead = try second.after(.failed(token: 2, retryAt: at(9)))
        #expect(dead.state == .failed)
        #expect(try dead.after(.revived(at: at(10))).attempt == 0)
    }

    @Test("what an attempt that was given up tells is refused, whatever happened since")
    func fencing() throws {
        let first = try running()
        let again = try first.after(.leaseRanOut(at: at(30))).after(.claimed(at: at(31), until: at(61)))
        #expect(again.lease?.token == 2)
        let late: [JobLife.Fact] = [
            .succeeded(token: 1), .failed(token: 1, retryAt: nil), .returned(token: 1, runAt: at(1)),
            .renewed(token: 1, until: at(99)), .discarded(token: 1),
        ]
        for life in [again, try first.after(.cancelled), try again.after(.succeeded(token: 2))] {
            for fact in late {
                #expect(throws: JobLife.Refusal.staleLease) { try life.after(fact) }
            }
        }
        // Also after a dead letter was tried again: the token goes on from where it was.
        let revived = try first.after(.cancelled).after(.revived(at: at(2)))
        let anew = try revived.after(.claimed(at: at(2), until: at(32)))
        #expect(anew.lease?.token == 2 && anew.attempt == 1)
    }

    @Test("a lease that is renewed does not run out before its new end")
    func renewal() throws {
        let first = try running()
        #expect(throws: JobLife.Refusal.tooEarly) { try first.after(.leaseRanOut(at: at(29))) }
        let renewed = try first.after(.renewed(token: 1, until: at(60)))
        #expect(throws: JobLife.Refusal.tooEarly) { try renewed.after(.leaseRanOut(at: at(59))) }
        #expect(try renewed.after(.leaseRanOut(at: at(60))).state == .queued)
    }

    @Test("a job that is lost once more than it may be is a dead letter")
    func recoveries() throws {
        var life = try running(1, recoveries: 2)
        for count in 1...2 {
            life = try life.after(.hostStarted(at: at(0)))
            #expect(life.state == .queued && life.recoveries == count)
            life = try life.after(.claimed(at: at(0), until: at(30)))
        }
        life = try life.after(.leaseRanOut(at: at(30)))
        #expect(life.state == .failed && life.recoveries == 3 && life.lease == nil)
        #expect(try life.after(.revived(at: at(31))).recoveries == 0)
    }

    @Test(
        "no sequence of facts leads beyond the bounds, out of a final state, or back in percent and claims",
        arguments: 0..<20
    )
    func sequences(_ seed: UInt64) {
        var random = SeededRandom(seed)
        var life = JobLife(
            maxAttempts: Int.random(in: 1...4, using: &random),
            maxRecoveries: Int.random(in: 0...3, using: &random),
            runAt: at(0)
        )
        for second in 0..<400 {
            let now = at(Int64(second))
            let token = Int64.random(in: max(1, life.claims - 1)...max(1, life.claims), using: &random)
            let facts: [JobLife.Fact] = [
                .accepted, .claimed(at: now, until: now + .seconds(5)), .succeeded(token: token),
                .failed(token: token, retryAt: now), .failed(token: token, retryAt: nil),
                .returned(token: token, runAt: now), .leaseRanOut(at: now), .hostStarted(at: now),
                .progressed(stage: "s", percent: Int.random(in: -9...120, using: &random)), .cancelled,
                .expired, .revived(at: now), .renewed(token: token, until: now + .seconds(9)),
            ]
            guard let fact = facts.randomElement(using: &random), let next = try? life.after(fact) else {
                continue
            }
            #expect((0...life.maxAttempts).contains(next.attempt))
            #expect((0...life.maxRecoveries + 1).contains(next.recoveries))
            #expect((next.state == .running) == (next.lease != nil))
            #expect(next.state != .running || next.lease?.token == next.claims)
            #expect(next.claims >= life.claims && next.percent >= life.percent && next.percent <= 100)
            if life.state.isFinal { #expect(next.state == .queued && next.attempt == 0) }
            #expect(life.state != .completed)
            life = next
        }
    }
}
