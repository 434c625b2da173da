import FunctionCore
import Testing

/// The verdict of the fault test is fed with what must not be: it has to notice each.
@Suite("The verdict of the fault test", .timeLimit(.minutes(1)))
struct FaultVerdictTests {
    /// Ten events of each source, each with its effect, and two of them with an allowed second one.
    private let clean: FaultLog = {
        var log = FaultLog()
        var time: Int64 = 0
        for seq in 0..<10 {
            for source in FaultSource.allCases {
                let event = SentEvent(source: source, key: 0, seq: seq)
                let delivery = source.isStream ? "\(source.rawValue)/\(seq)-0" : "\(event)"
                time += 10
                log.accepted[event] = delivery
                if source.isStream { log.entries[delivery] = event }
                let at = Monotonic(nanoseconds: time)
                log.effects.append(FaultEffect(event: event, delivery: delivery, process: 7, at: at))
            }
        }
        log.audit = [line("journal", 30), line("loose", 10), line("narrow", 10)]
        log.grant = 100
        log.accounts = [(90, 0)]
        return log
    }()

    private static func line(_ source: String, _ completed: Int64, pending: Int64 = 0) -> JSON {
        [
            "source": .string(source), "function": "record", "accepted": .integer(completed + pending),
            "completed": .integer(completed), "pending": .integer(pending), "dead_lettered": 0,
            "cancelled": 0, "problems": [],
        ]
    }

    private func problems(_ change: (inout FaultLog) -> Void = { _ in }) -> [String] {
        var log = clean
        change(&log)
        return FaultVerdict(log: log).problems
    }

    private func index(_ source: FaultSource, _ seq: Int) -> Int {
        clean.effects.firstIndex { $0.event.source == source && $0.event.seq == seq } ?? 0
    }

    @Test("is silent where everything is as it should be")
    func silent() {
        #expect(problems().isEmpty)
    }

    @Test("notices one lost effect", arguments: FaultSource.allCases)
    func lost(source: FaultSource) {
        let found = problems { $0.effects.remove(at: index(source, 9)) }
        #expect(found == ["1 accepted events are lost, such as \(source.rawValue)-0/9/0"])
    }

    @Test("notices a sink that drops each tenth effect")
    func drops() {
        let found = problems { log in
            log.effects = log.effects.enumerated().filter { $0.offset % 10 != 9 }.map(\.element)
        }
        #expect(found.contains { $0.hasPrefix("6 accepted events are lost") }, "\(found)")
    }

    @Test("notices an entry that was taken without an answer, and did not run")
    func unanswered() {
        let found = problems { log in
            let event = SentEvent(source: .loose, key: 0, seq: 3, copy: 1)
            log.unsure.insert(event)
            log.entries["loose/99-0"] = event
        }
        #expect(found.contains("1 accepted events are lost, such as loose-0/3/1"), "\(found)")
    }

    @Test("notices a second effect without a cause", arguments: FaultSource.allCases)
    func doubled(source: FaultSource) {
        let found = problems { $0.effects.insert($0.effects[index(source, 4)], at: index(source, 4)) }
        #expect(found.count == 1 && found[0].contains("\(source.rawValue)-0/4/0"), "\(found)")
    }

    @Test("allows a second effect to what the killed worker or the killed host held, and to nothing else")
    func redelivered() {
        func problems(killed: Set<Int>?, open: Set<String>) -> [String] {
            self.problems { log in
                let first = log.effects[index(.loose, 4)]
                var again = first
                again.at = first.at + .seconds(1)
                log.effects.append(again)
                var fault = Fault(kind: "kill", begin: first.at, end: again.at)
                (fault.killed, fault.open) = (killed, open)
                log.faults = [fault]
            }
        }
        #expect(problems(killed: [7], open: ["loose/4-0"]).isEmpty)
        #expect(problems(killed: nil, open: ["loose/4-0"]).isEmpty)
        #expect(problems(killed: [8], open: ["loose/4-0"]).count == 1)
        #expect(problems(killed: nil, open: ["loose/5-0"]).count == 1)
        #expect(problems(killed: [], open: ["loose/4-0"]).count == 1)
    }

    @Test("allows a job as many effects as its history has attempts, and no more")
    func attempts() {
        func problems(setbacks: Int) -> [String] {
            self.problems { log in
                let effect = log.effects[index(.free, 4)]
                log.effects += [effect, effect]
                log.setbacks[effect.delivery] = setbacks
            }
        }
        #expect(problems(setbacks: 2).isEmpty)
        #expect(problems(setbacks: 1).count == 1)
    }

    @Test("notices jobs of one key that change places", arguments: [FaultSource.ordered, .paid])
    func disordered(source: FaultSource) {
        let found = problems { $0.effects.swapAt(index(source, 4), index(source, 5)) }
        #expect(found.count == 1 && found[0].contains("out of turn"), "\(found)")
    }

    @Test("notices a second job for one key, and an effect that nobody asked for")
    func unasked() {
        let other = problems { $0.effects[index(.paid, 4)].delivery = "another job" }
        #expect(other.count == 1 && other[0].contains("another job"), "\(other)")
        let unasked = problems { $0.effects[index(.free, 9)].event.seq = 10 }
        #expect(unasked.contains { $0.contains("not asked for") }, "\(unasked)")
    }

    @Test("notices what the audit says, and what it does not say")
    func unbalanced() {
        #expect(problems { $0.audit.removeLast() }.count == 1)
        #expect(problems { $0.audit[0] = Self.line("journal", 29) }.count == 1)
        #expect(problems { $0.audit[1] = Self.line("loose", 9, pending: 1) }.count == 1)
        #expect(problems { $0.accounts = [(89, 0)] } == ["user 1 has paid 11 for 10 jobs, and 0 are held"])
    }
}
