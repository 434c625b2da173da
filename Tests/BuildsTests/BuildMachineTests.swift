import Builds
import FunctionCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct BuildMachineTests {
    private func at(_ milliseconds: Int64) -> Monotonic { Monotonic(nanoseconds: milliseconds * 1_000_000) }

    @Test("a build begins when nothing has been saved for a while, and once for many saves")
    func settles() {
        var machine = BuildMachine()
        #expect(machine.saved(at(0)) == [.wake(at: at(60))])
        #expect(machine.saved(at(50)) == [.wake(at: at(110))])
        #expect(machine.passed(at(60)) == [.wake(at: at(110))])
        #expect(machine.passed(at(110)) == [.start])
        #expect(machine.passed(at(111)) == [])
        #expect(machine.ended(at(500)) == [])
        #expect(!machine.isBusy)
    }

    @Test("a save while a build runs stops that build, and another begins")
    func outdated() {
        var machine = BuildMachine()
        _ = machine.saved(at(0))
        #expect(machine.passed(at(60)) == [.start])
        #expect(machine.saved(at(100)) == [.cancel])
        #expect(machine.saved(at(105)) == [])
        #expect(machine.isBusy)
        #expect(machine.ended(at(120)) == [.wake(at: at(165))])
        #expect(machine.passed(at(165)) == [.start])
        #expect(machine.ended(at(300)) == [])
    }

    @Test("saves without a pause do not put a build off for ever")
    func patience() {
        var machine = BuildMachine()
        var now: Int64 = 0
        var actions: [BuildMachine.Action] = []
        while actions != [.start], now < 10_000 {
            _ = machine.saved(at(now))
            actions = machine.passed(at(now))
            now += 20
        }
        #expect((2000...2100).contains(now))
    }

    @Test("whatever happens, there is one build at a time, and the last save is built")
    func invariants() {
        for seed in UInt64(1)...200 {
            var random = SystemLike(state: seed)
            var machine = BuildMachine()
            var (now, running, builtAt, savedAt) = (Int64(0), false, Int64(-1), Int64(-1))
            for _ in 0..<60 {
                now += Int64(random.next() % 90)
                let actions: [BuildMachine.Action]
                switch random.next() % 3 {
                case 0:
                    savedAt = now
                    actions = machine.saved(at(now))
                case 1 where running:
                    running = false
                    actions = machine.ended(at(now))
                default: actions = machine.passed(at(now))
                }
                for action in actions where action == .start {
                    #expect(!running)
                    (running, builtAt) = (true, now)
                }
            }
            for _ in 0..<4 {
                now += 3000
                let actions = running ? machine.ended(at(now)) : machine.passed(at(now))
                running = false
                if actions.contains(.start) { (running, builtAt) = (true, now) }
            }
            #expect(savedAt < 0 || builtAt >= savedAt, "seed \(seed)")
        }
    }

    private struct SystemLike {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 33
        }
    }
}
