import FunctionCore
import Invocations
import RedisTrigger
import Testing

/// A machine behind a reference, so that expectations can drive it.
private final class Driver {
    private var machine: StreamMachine

    init(_ machine: StreamMachine) {
        self.machine = machine
    }

    var state: StreamMachine.State { machine.state }
    var heldCount: Int { machine.heldCount }

    func handle(_ fact: StreamFact) -> [StreamAction] { machine.handle(fact) }
}

@Suite(.timeLimit(.minutes(1)))
struct StreamMachineTests {
    private static let ok = Outcome.replied(status: 200)
    private static let failure = Outcome.failed(FunctionError(code: "broken", message: "no"))

    private func machine(batch: Int = 1, concurrency: Int = 2, attempts: Int = 3) -> Driver {
        var retry = Manifest.Retry()
        retry.attempts = attempts
        let settings = StreamSettings(
            batch: batch,
            concurrency: concurrency,
            retry: retry,
            minIdle: .seconds(60)
        )
        return Driver(StreamMachine(settings: settings, seed: 1))
    }

    /// A machine that has nothing pending and waits for new entries.
    private func reading(batch: Int = 1, concurrency: Int = 2, attempts: Int = 3) -> Driver {
        let machine = machine(batch: batch, concurrency: concurrency, attempts: attempts)
        for fact in [StreamFact.connected, .groupReady, .entriesRead([])] { _ = machine.handle(fact) }
        return machine
    }

    private func entry(_ id: String) -> StreamEntry {
        StreamEntry(id: id, fields: [StreamField("f", "v")])
    }

    private func deliveries(_ ids: String...) -> StreamFact {
        .entriesRead(ids.map { StreamDelivery(entry($0)) })
    }

    @Test("at the start it makes the group, then reads what it left pending, then what is new")
    func start() {
        let machine = machine()
        #expect(machine.handle(.connected) == [.ensureGroup])
        let ready = machine.handle(.groupReady)
        #expect(ready.contains(.readPending(after: "0", count: 2)))
        #expect(ready.contains { if case .armClaim = $0 { true } else { false } })
        #expect(
            machine.handle(deliveries("5-0"))
                == [
                    .deliver(event: 1, entries: [entry("5-0")], attempt: 1),
                    .readPending(after: "5-0", count: 1),
                ]
        )
        #expect(machine.handle(.entriesRead([])) == [.read(count: 1)])
        #expect(machine.state == .reading)
    }

    @Test("it reads no further than it may run at once, and goes on when an event is over")
    func bounded() {
        let machine = reading(batch: 2, concurrency: 2)
        #expect(
            machine.handle(deliveries("1-0", "2-0", "3-0", "4-0"))
                == [
                    .deliver(event: 1, entries: [entry("1-0"), entry("2-0")], attempt: 1),
                    .deliver(event: 2, entries: [entry("3-0"), entry("4-0")], attempt: 1),
                ]
        )
        #expect(
            machine.handle(.eventFinished(2, Self.ok)) == [
                .ack(["3-0", "4-0"], counted: false), .read(count: 2),
            ]
        )
        #expect(machine.handle(.settled(["3-0", "4-0"])) == [])
        #expect(machine.heldCount == 2)
    }

    @Test("a failure is retried after the back-off, and given up after the last attempt")
    func retries() {
        var machine = reading(concurrency: 1, attempts: 2)
        _ = machine.handle(deliveries("1-0"))
        let first = machine.handle(.eventFinished(1, Self.failure))
        #expect(first.contains(.recordFailure("1-0", count: 1)))
        guard
            case .retryAt("1-0", let delay)? = first.first(where: {
                if case .retryAt = $0 { true } else { false }
            })
        else {
            Issue.record("no retry in \(first)")
            return
        }
        #expect(delay >= .seconds(1) && delay <= .milliseconds(1250))
        #expect(machine.handle(.retryDue("1-0")) == [.deliver(event: 2, entries: [entry("1-0")], attempt: 2)])
        let letter = StreamDeadLetter(entry: entry("1-0"), code: "broken", message: "no", attempts: 2)
        #expect(machine.handle(.eventFinished(2, .timedOut)).first != .deadLetter(letter))
        machine = reading(concurrency: 1, attempts: 1)
        _ = machine.handle(deliveries("1-0"))
        let last = machine.handle(.eventFinished(1, Self.failure))
        var other = letter
        other.attempts = 1
        #expect(last.first == .deadLetter(other))
    }

    @Test(
        "the function says never, or replies that the request is bad: given up at once",
        arguments: [
            Outcome.failed(.badRequest("bad", "no")), .replied(status: 422), .replied(status: 404),
        ]
    )
    func final(_ outcome: Outcome) {
        let machine = reading(attempts: 5)
        _ = machine.handle(deliveries("1-0"))
        let actions = machine.handle(.eventFinished(1, outcome))
        #expect(
            actions.contains { if case .deadLetter(let letter) = $0 { letter.attempts == 1 } else { false } }
        )
    }

    @Test("the wait that the function asks for is kept")
    func after() {
        let machine = reading()
        _ = machine.handle(deliveries("1-0"))
        let error = FunctionError(code: "later", message: "", retry: .after(.seconds(100)))
        let actions = machine.handle(.eventFinished(1, .failed(error)))
        #expect(
            actions.contains { if case .retryAt(_, let delay) = $0 { delay >= .seconds(100) } else { false } }
        )
    }

    @Test(
        "what is not the function's fault is tried again without end and without being counted",
        arguments: [Outcome.shed(.overloaded, retryAfter: .seconds(1)), .cancelled, .expired]
    )
    func uncounted(_ outcome: Outcome) {
        let machine = reading(concurrency: 1, attempts: 1)
        _ = machine.handle(deliveries("1-0"))
        for event in 1...20 {
            let actions = machine.handle(.eventFinished(event, outcome))
            #expect(!actions.contains { if case .recordFailure = $0 { true } else { false } })
            #expect(actions.contains { if case .retryAt = $0 { true } else { false } })
            let deliver = StreamAction.deliver(event: event + 1, entries: [entry("1-0")], attempt: 1)
            #expect(machine.handle(.retryDue("1-0")) == [deliver])
        }
    }

    @Test("a batch that fails is taken apart, so that one bad entry gives up itself alone")
    func takenApart() {
        let machine = reading(batch: 3, concurrency: 1, attempts: 1)
        _ = machine.handle(deliveries("1-0", "2-0", "3-0"))
        let failed = machine.handle(.eventFinished(1, .failed(.badRequest("bad", ""))))
        #expect(!failed.contains { if case .deadLetter = $0 { true } else { false } })
        #expect(
            machine.handle(.retryDue("1-0")).contains(.deliver(event: 2, entries: [entry("1-0")], attempt: 1))
        )
        #expect(machine.handle(.retryDue("2-0")) == [])
        #expect(machine.handle(.eventFinished(2, Self.ok)).first == .ack(["1-0"], counted: false))
        let second = machine.handle(.eventFinished(3, Self.failure))
        #expect(
            second.contains {
                if case .deadLetter(let letter) = $0 { letter.entry.id == "2-0" } else { false }
            }
        )
    }

    @Test("an acknowledgement that Redis did not take is sent again, and the entry is not run again")
    func unsettled() {
        let machine = reading()
        _ = machine.handle(deliveries("1-0"))
        _ = machine.handle(.eventFinished(1, Self.ok))
        let failed = machine.handle(.settleFailed(["1-0"]))
        #expect(failed.contains { if case .settleAgain = $0 { true } else { false } })
        _ = machine.handle(.redisFailed(.passing))
        _ = machine.handle(.connected)
        _ = machine.handle(.groupReady)
        let shown = machine.handle(deliveries("1-0"))
        #expect(!shown.contains { if case .deliver = $0 { true } else { false } })
        #expect(machine.handle(.settleDue).contains(.ack(["1-0"], counted: false)))
        _ = machine.handle(.settled(["1-0"]))
        #expect(machine.heldCount == 0)
    }

    @Test("what Redis confirms while it is asked for what is pending does not run again, and later it may")
    func settledMeanwhile() {
        let machine = reading()
        _ = machine.handle(deliveries("1-0"))
        _ = machine.handle(.eventFinished(1, Self.ok))
        _ = machine.handle(.settleFailed(["1-0"]))
        _ = machine.handle(.redisFailed(.passing))
        _ = machine.handle(.connected)
        #expect(machine.handle(.groupReady).contains(.readPending(after: "0", count: 2)))
        #expect(machine.handle(.settleDue).contains(.ack(["1-0"], counted: false)))
        // On another connection the answer was made before, and comes behind.
        _ = machine.handle(.settled(["1-0"]))
        let answer = machine.handle(deliveries("1-0"))
        #expect(answer == [.readPending(after: "1-0", count: 2)])
        #expect(machine.heldCount == 0)
        // Not for ever: the group may have been set back.
        let next = machine.handle(deliveries("1-0"))
        #expect(next.contains { if case .deliver = $0 { true } else { false } })
    }

    @Test("where the reply names entries, these fail by themselves and the others are done")
    func partial() {
        let machine = reading(batch: 3, concurrency: 1, attempts: 2)
        _ = machine.handle(deliveries("1-0", "2-0", "3-0"))
        let errors = [
            "2-0": FunctionError(code: "busy", message: "later"),
            "3-0": FunctionError.badRequest("bad", "no"),
        ]
        let actions = machine.handle(.eventFinished(1, .replied(status: 207), failed: errors))
        #expect(actions.contains(.ack(["1-0"], counted: false)))
        #expect(actions.contains(.recordFailure("2-0", count: 1)))
        _ = machine.handle(.retryDue("2-0"))
        let unwanted = machine.handle(.eventFinished(2, .failed(.discard("old", "nobody wants it"))))
        #expect(unwanted.contains(.ack(["2-0"], counted: true, as: .discarded)))
        let letter = StreamDeadLetter(entry: entry("3-0"), code: "bad", message: "no", attempts: 1)
        #expect(actions.contains(.deadLetter(letter)))
    }

    @Test("a batch that is not full waits once; the next one waits anew")
    func window() {
        var settings = StreamSettings(
            batch: 2,
            concurrency: 2,
            retry: Manifest.Retry(),
            minIdle: .seconds(60)
        )
        settings.window = .seconds(1)
        var machine = StreamMachine(settings: settings, seed: 1)
        for fact in [StreamFact.connected, .groupReady, .entriesRead([])] { _ = machine.handle(fact) }
        func isRun(_ fact: StreamFact) -> Bool {
            machine.handle(fact).contains { if case .deliver = $0 { true } else { false } }
        }
        let first = machine.handle(deliveries("1-0"))
        #expect(first == [.armWindow(after: .seconds(1)), .read(count: 3)])
        #expect(isRun(deliveries("2-0")))
        #expect(!isRun(deliveries("3-0")))
        #expect(isRun(.windowOver))
        _ = machine.handle(.eventFinished(1, Self.ok))
        let next = machine.handle(deliveries("4-0"))
        #expect(next.contains(.armWindow(after: .seconds(1))))
    }

    @Test("after a failure fewer entries are asked for, and more again when they come")
    func fewer() {
        let machine = reading(batch: 100, concurrency: 10)
        func count(_ actions: [StreamAction]) -> Int {
            for case .read(let count) in actions { return count }
            return 0
        }
        #expect(count(machine.handle(.readTimedOut)) == 500)
        _ = machine.handle(.redisFailed(.passing))
        for fact in [StreamFact.connected, .groupReady] { _ = machine.handle(fact) }
        #expect(count(machine.handle(.entriesRead([]))) == 250)
        #expect(count(machine.handle(.readTimedOut)) == 500)
    }

    @Test("a lost group is made again once, then with back-off")
    func groupLost() {
        let machine = reading()
        #expect(machine.handle(.redisFailed(.groupGone)) == [.ensureGroup])
        let again = machine.handle(.redisFailed(.groupGone))
        #expect(again.contains { if case .reconnect = $0 { true } else { false } })
        #expect(machine.state == .connecting)
    }

    @Test("the wait between connections grows, and is short again after a reply")
    func backoff() {
        let machine = reading()
        func wait(_ failure: StreamFailure) -> Duration {
            for case .reconnect(let wait) in machine.handle(.redisFailed(failure)) { return wait }
            return .zero
        }
        let waits = (0..<8).map { _ in
            let wait = wait(.passing)
            _ = machine.handle(.connected)
            return wait
        }
        #expect(waits[0] < .milliseconds(126))
        #expect(waits[7] >= .seconds(5) && waits[7] <= .milliseconds(6250))
        _ = machine.handle(.groupReady)
        _ = machine.handle(.entriesRead([]))
        #expect(wait(.passing) < .milliseconds(126))
        _ = machine.handle(.connected)
        #expect(wait(.misconfigured) >= .seconds(5))
    }

    @Test("entries whose data is gone are reported as lost and acknowledged")
    func lost() {
        let machine = machine()
        _ = machine.handle(.connected)
        _ = machine.handle(.groupReady)
        let actions = machine.handle(
            .entriesRead([StreamDelivery(StreamEntry(id: "1-0", fields: nil)), StreamDelivery(entry("2-0"))])
        )
        #expect(actions.contains(.lost(["1-0"])))
        #expect(actions.contains(.ack(["1-0"], counted: false, as: .lost)))
        #expect(actions.contains(.deliver(event: 1, entries: [entry("2-0")], attempt: 1)))
    }

    @Test("a claim goes on to the end of its scan, keeps the count of failures, and renews what is held")
    func claims() {
        let machine = reading(concurrency: 3)
        _ = machine.handle(.readTimedOut)
        let idle = machine.handle(.claimTick)
        #expect(idle.contains(.claimStale(cursor: "0-0", count: 3)))
        let claimed = StreamDelivery(entry("1-0"), failures: 2)
        let next = machine.handle(.claimed([claimed], cursor: "7-0", lost: ["3-0"]))
        #expect(next.contains(.deliver(event: 1, entries: [entry("1-0")], attempt: 3)))
        #expect(next.contains(.lost(["3-0"])))
        #expect(next.contains { if case .claimStale("7-0", _) = $0 { true } else { false } })
        #expect(machine.handle(.claimed([], cursor: "0-0", lost: [])) == [])
        #expect(machine.handle(.claimTick).contains(.renew(["1-0"])))
    }

    @Test("after stop nothing is read; what is under way is settled, then it is drained")
    func stop() {
        let machine = reading(concurrency: 3)
        _ = machine.handle(deliveries("1-0", "2-0", "3-0"))
        #expect(machine.handle(.stop) == [])
        #expect(machine.handle(deliveries("4-0")) == [])
        #expect(machine.handle(.eventFinished(1, Self.ok)) == [.ack(["1-0"], counted: false)])
        #expect(machine.handle(.eventFinished(2, .cancelled)) == [])
        #expect(machine.handle(.eventFinished(3, Self.failure)) == [.recordFailure("3-0", count: 1)])
        #expect(machine.handle(.settled(["1-0"])) == [.drained])
        #expect(machine.handle(.connected) == [])
    }

    @Test("when the grace is over it is drained, whatever is under way; a stop before the start is at once")
    func grace() {
        let machine = reading()
        _ = machine.handle(deliveries("1-0"))
        #expect(machine.handle(.graceOver).isEmpty)
        _ = machine.handle(.stop)
        #expect(machine.handle(.graceOver) == [.drained])
        let idle = self.machine()
        #expect(idle.handle(.stop) == [.drained])
    }
}
