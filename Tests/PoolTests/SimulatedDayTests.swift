import Foundation
import FunctionCore
import Invocations
import Seeds
import Testing

@testable import WorkerPool

@Suite("a simulated day", .timeLimit(.minutes(1)))
struct SimulatedDayTests {
    /// A function's pool on a clock that jumps from one thing that happens to the next.
    private struct Day {
        private enum Fact { case arrive, ready(Int), finish(UInt32), leave(Int) }

        var machine: PoolMachine
        private var now = Monotonic(nanoseconds: 0)
        private var due: [(at: Monotonic, order: Int, fact: Fact)] = []
        private var order = 0
        private let takes: Duration
        private(set) var invocations = 0
        private(set) var starts = 0
        private(set) var peak = 0

        init(_ manifest: Manifest, arrivals: [Double], takes: Duration) {
            machine = PoolMachine(manifest)
            self.takes = takes
            perform(machine.started(at: now))
            for second in arrivals {
                plan(.arrive, at: Monotonic(nanoseconds: Int64(second * 1e9)))
            }
        }

        private mutating func plan(_ fact: Fact, at: Monotonic) {
            order += 1
            let place = due.partitioningIndex { $0.at > at }
            due.insert((at, order, fact), at: place)
        }

        private mutating func perform(_ actions: [PoolMachine.Action]) {
            for action in actions {
                switch action {
                case .spawn(let id):
                    starts += 1
                    plan(.ready(id), at: now + .milliseconds(3))
                case .send(let key, _, _): plan(.finish(key), at: now + takes)
                case .retire(let id): plan(.leave(id), at: now + .milliseconds(1))
                default: break
                }
            }
            peak = max(peak, machine.workerCount)
        }

        /// Lets the day pass.
        mutating func run(until end: Monotonic) {
            while true {
                let tick = machine.nextTick
                let next = min(due.first?.at ?? end, tick ?? end)
                guard next < end else { break }
                now = max(now, next)
                guard let first = due.first, first.at <= now else {
                    perform(machine.ticked(at: now))
                    continue
                }
                due.removeFirst()
                switch first.fact {
                case .arrive:
                    invocations += 1
                    perform(machine.arrived(UInt32(invocations), timeout: nil, at: now))
                case .ready(let id): perform(machine.becameReady(id, at: now))
                case .finish(let key): perform(machine.finished(key, at: now))
                case .leave(let id): perform(machine.exited(id, reason: "asked", begun: [], at: now))
                }
            }
            now = end
        }

        var hours: Double { machine.workerTime(at: now).milliseconds / 3_600_000 }
    }

    private static let length = Monotonic(nanoseconds: 86_400_000_000_000)

    /// The day of one function: what it cost, and what as many workers as it had at most cost from midnight to
    /// midnight.
    private func line(
        _ name: String,
        _ arrivals: [Double],
        takes: Duration,
        _ change: (inout Manifest) -> Void = { _ in }
    ) -> (text: String, used: Double, always: Double) {
        var manifest = Manifest(name: name)
        manifest.limits.timeout = .seconds(300)
        change(&manifest)
        var day = Day(manifest, arrivals: arrivals.sorted(), takes: takes)
        day.run(until: SimulatedDayTests.length)
        let always = 24 * Double(max(day.peak, 1))
        func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
        let share = (day.hours / always * 1000).rounded() / 10
        return (
            "\(name): \(day.invocations) invocations, \(day.starts) workers started, \(day.peak) at once, "
                + "\(rounded(day.hours)) worker hours, \(rounded(always)) always on, \(share) %",
            day.hours, always
        )
    }

    @Test("a day of eight functions costs what the golden file says, a small part of what always on would")
    func cost() throws {
        var random = SeededRandom(7)
        func hours(_ range: ClosedRange<Double>, _ count: Int) -> [Double] {
            (0..<count).map { _ in Double.random(in: range, using: &random) * 3600 }
        }
        let evening = hours(18...22, 400)
        let stories = hours(7...21, 60)
        let lines = [
            line("questionnaire", stories, takes: .milliseconds(20)),
            line("script", stories.map { $0 + 1 }, takes: .seconds(4)),
            line("video", stories.map { $0 + 6 }, takes: .seconds(45)) { $0.scale.max = 2 },
            line("persona-image", hours(8...23, 40), takes: .seconds(12)),
            line("motto", hours(0...24, 100), takes: .milliseconds(800)),
            line("chatbot", evening + hours(8...18, 200), takes: .seconds(6)) { $0.limits.perWorker = 10 },
            line("trading", (0..<385).map { 52_200 + Double($0) * 60 }, takes: .milliseconds(300)) {
                $0.scale.idle = .seconds(120)
            },
            line("learning", (0..<14).map { Double($0) * 3600 }, takes: .seconds(40)),
        ]
        let used = lines.reduce(0) { $0 + $1.used }
        let always = lines.reduce(0) { $0 + $1.always }
        let share = (used / always * 1000).rounded() / 10
        let text = lines.map { $0.text + "\n" }.joined() + "all: \(share) % of always on\n"
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Golden/simulated-day.txt")
        if ProcessInfo.processInfo.environment["GOLDEN"] == "update" {
            try text.write(to: path, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: path, encoding: .utf8) == text)
        #expect(share < 10)
    }
}

extension Array {
    /// The first place whose element fulfils the condition, where all after it do as well.
    fileprivate func partitioningIndex(_ isAfter: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
