import FunctionCore
import Journal
import Testing

@Suite(.timeLimit(.minutes(1)))
struct JobLifeTests {
    private static let facts: [JobLife.Fact] = [
        .claimed(at: at(0)), .succeeded, .failed(retryAt: at(5)), .failed(retryAt: nil),
        .returned(runAt: at(1)), .cancelled,
        .expired, .hostStarted(at: at(2)), .revived(at: at(3)),
    ]

    @Test("every state allows the facts of its line and no other")
    func table() {
        // One column a fact, in the order above; a dot where it cannot happen.
        let table: [JobState: String] = [
            .queued: "running . . . . cancelled expired . .",
            .running: ". completed retry_wait failed queued cancelled expired queued .",
            .retryWait: "running . . . . cancelled expired . .",
            .completed: ". . . . . . . . .",
            .failed: ". . . . . . . . queued",
            .cancelled: ". . . . . . . . queued",
            .expired: ". . . . . . . . queued",
        ]
        for state in JobState.allCases {
            let life = JobLife(state: state, attempt: 1, maxAttempts: 3, runAt: at(0))
            let line = Self.facts.map { life.after($0)?.state.rawValue ?? "." }.joined(separator: " ")
            #expect(line == table[state], "\(state)")
        }
    }

    @Test("an attempt counts from the claim, and is taken back when the host is to blame")
    func attempts() throws {
        let queued = JobLife(maxAttempts: 2, runAt: at(0))
        let first = try #require(queued.after(.claimed(at: at(0))))
        #expect(first.attempt == 1)
        #expect(first.after(.returned(runAt: at(9)))?.attempt == 0)
        #expect(first.after(.returned(runAt: at(9)))?.runAt == at(9))
        #expect(first.after(.hostStarted(at: at(9)))?.attempt == 0)
        let waiting = try #require(first.after(.failed(retryAt: at(4))))
        #expect(waiting.state == .retryWait)
        #expect(waiting.after(.claimed(at: at(3))) == nil)
        let second = try #require(waiting.after(.claimed(at: at(4))))
        #expect(second.attempt == 2)
        #expect(second.after(.failed(retryAt: at(9)))?.state == .failed)
        #expect(second.after(.failed(retryAt: at(9)))?.after(.revived(at: at(10)))?.attempt == 0)
    }

    @Test("no sequence of facts leads beyond the attempts or out of a final state", arguments: 0..<20)
    func sequences(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        var life = JobLife(maxAttempts: Int.random(in: 1...4, using: &random), runAt: at(0))
        for second in 0..<400 {
            let now = at(Int64(second))
            let facts = Self.facts + [.claimed(at: now), .claimed(at: now), .failed(retryAt: now)]
            guard let fact = facts.randomElement(using: &random), let next = life.after(fact) else {
                continue
            }
            #expect((0...life.maxAttempts).contains(next.attempt))
            #expect(next.state != .running || next.attempt > 0)
            if life.state.isFinal { #expect(next.state == .queued && next.attempt == 0) }
            #expect(life.state != .completed)
            life = next
        }
    }
}

/// A small generator with a seed, for sequences that can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
