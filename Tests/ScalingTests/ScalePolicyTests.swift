import FunctionCore
import Invocations
import Scaling
import Seeds
import Testing

@Suite("scale policy", .timeLimit(.minutes(1)))
struct ScalePolicyTests {
    /// Decides on one value a second.
    private func decide(
        _ metric: ScaleMetric,
        _ values: [Double],
        workers: Int? = nil,
        _ edit: (inout Manifest.Scale) -> Void
    ) -> [ScaleDecision] {
        var scale = Manifest.Scale()
        scale.max = 100
        scale.window = .seconds(1)
        scale.panic.window = .seconds(1)
        scale.panic.threshold = 100_000
        scale.stabilization = .zero
        edit(&scale)
        var policy = ScalePolicy(scale)
        var wanted = scale.min
        return values.enumerated().map { second, value in
            let at = Monotonic(nanoseconds: Int64(second) * 1_000_000_000)
            let sample = ScaleSample(at: at, workers: workers ?? wanted, values: [metric: value])
            let decision = policy.decide(sample)
            wanted = decision.wanted
            return decision
        }
    }

    @Test(
        "wanted is the value over the target, rounded up, and unchanged within the tolerance",
        arguments: [
            // value, workers, wanted
            (0.0, 3, 0), (1, 0, 1), (50, 1, 1), (55, 1, 1), (55.1, 1, 2), (45, 1, 1), (89, 2, 2), (90, 2, 2),
            (111, 2, 3), (200, 2, 4), (1000, 4, 20), (27, 5, 1),
        ]
    )
    func formula(_ value: Double, _ workers: Int, _ wanted: Int) {
        let decision = decide(.cpu, [value], workers: workers) { $0.target = [.cpu: 50] }[0]
        #expect(decision.wanted == wanted)
    }

    @Test("a count has no tolerance: the eleventh user brings the second worker")
    func counts() {
        let users = decide(.connections, [9, 10, 11, 20, 21]) { $0.target = [.connections: 10] }
        #expect(users.map(\.wanted) == [1, 1, 2, 2, 3])
        #expect(users[2].text == "connections 11 at 10 a worker")
    }

    @Test("the little that a worker at rest uses of a core keeps no worker")
    func resting() {
        let decisions = decide(.cpu, [100, 1, 0.4]) { $0.target = [.cpu: 1] }
        #expect(decisions.map(\.wanted) == [100, 1, 0])
    }

    @Test("the target that asks for most wins, and is named")
    func highest() {
        var scale = Manifest.Scale()
        scale.max = 9
        scale.target = [.queueDepth: 4, .connections: 10]
        var policy = ScalePolicy(scale)
        let values: [ScaleMetric: Double] = [.queueDepth: 9, .connections: 11]
        let decision = policy.decide(
            ScaleSample(at: Monotonic(nanoseconds: 1), workers: 2, values: values)
        )
        #expect(decision.wanted == 3)
        #expect(decision.metric == .queueDepth)
    }

    @Test("no number leaves the bounds, and the bound that was met is named")
    func bounds() {
        let decisions = decide(.queueDepth, [0, 4, 1e9]) {
            $0.min = 2
            $0.max = 5
            $0.target = [.queueDepth: 1]
        }
        #expect(decisions.map(\.wanted) == [2, 4, 5])
        #expect(decisions.map(\.bound) == [.min, nil, .max])
    }

    @Test("down goes only to the highest of the stabilisation window")
    func stabilization() {
        let decisions = decide(.queueDepth, [5, 2, 3, 1, 1, 1, 1, 1]) {
            $0.target = [.queueDepth: 1]
            $0.stabilization = .seconds(3)
        }
        #expect(decisions.map(\.wanted) == [5, 5, 5, 3, 3, 1, 1, 1])
        #expect(decisions[3].reason == .stabilizing)
    }

    @Test("after a rise nothing falls for the delay")
    func delay() {
        let decisions = decide(.queueDepth, [1, 3, 1, 1, 1, 1]) {
            $0.target = [.queueDepth: 1]
            $0.scaleDownDelay = .seconds(3)
        }
        #expect(decisions.map(\.wanted) == [1, 3, 3, 3, 1, 1])
        #expect(decisions[2].reason == .delayed)
    }

    @Test("a burst that asks for twice the workers panics: its short average counts, nothing falls")
    func panic() {
        let decisions = decide(.inFlight, [10, 10, 10, 90, 10, 10, 10, 10, 10, 10]) {
            $0.target = [.inFlight: 10]
            $0.window = .seconds(5)
            $0.panic.window = .seconds(1)
            $0.panic.threshold = 200
        }
        #expect(decisions.map(\.wanted).prefix(8) == [1, 1, 1, 9, 9, 9, 9, 9])
        #expect(decisions[4].reason == .panic)
        // A whole window after the burst it is over.
        #expect(decisions[8].reason == .target)
        #expect(decisions[9].wanted == 1)
    }

    @Test("an average counts each value for the time that it stood")
    func weights() {
        var scale = Manifest.Scale()
        scale.max = 100
        scale.target = [.inFlight: 1]
        scale.panic.threshold = 100_000
        var policy = ScalePolicy(scale)
        var decision: ScaleDecision?
        // 10 for nine seconds, then 60 for one: 15 on average.
        for (second, value) in [(0, 10.0), (9, 10), (10, 60)] {
            let at = Monotonic(nanoseconds: Int64(second) * 1_000_000_000)
            decision = policy.decide(ScaleSample(at: at, workers: 0, values: [.inFlight: value]))
        }
        #expect(decision?.wanted == 15)
    }

    @Test(
        "any samples: within the bounds, and the same again from the same trace",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func random(_ seed: UInt64) {
        var random = SeededRandom(seed)
        var scale = Manifest.Scale()
        scale.min = Int.random(in: 0...3, using: &random)
        scale.max = scale.min + Int.random(in: 1...9, using: &random)
        for metric in ScaleMetric.allCases where Bool.random(using: &random) {
            scale.target[metric] = Int.random(in: 1...50, using: &random)
        }
        scale.stabilization = .seconds(Int.random(in: 0...30, using: &random))
        var at = Int64(0)
        let samples = (0..<500).map { _ in
            at += Int64.random(in: 1...20_000_000_000, using: &random)
            var values: [ScaleMetric: Double] = [:]
            for metric in ScaleMetric.allCases { values[metric] = Double.random(in: 0...400, using: &random) }
            return ScaleSample(
                at: Monotonic(nanoseconds: at),
                workers: Int.random(in: 0...12, using: &random),
                values: values
            )
        }
        let decisions = ScaleTrace(samples).replay(scale)
        #expect(decisions.allSatisfy { (scale.min...scale.max).contains($0.wanted) })
        #expect(ScaleTrace(samples).replay(scale) == decisions)
        // Written and read again, a trace in whole seconds leads to the same.
        let whole = samples.enumerated().map { index, sample in
            var sample = sample
            sample.at = Monotonic(nanoseconds: Int64(index) * 1_000_000_000)
            sample.values = sample.values.mapValues { $0.rounded() }
            return sample
        }
        let trace = ScaleTrace(whole)
        let again = try? ScaleTrace(trace.text(trace.replay(scale)))
        #expect(again?.replay(scale) == trace.replay(scale))
    }
}
