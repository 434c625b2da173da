import FunctionCore
import Invocations

/// From a pool's metrics to the number of workers that it should have.
///
/// The formula, the tolerance and the stabilisation window are those of Kubernetes' horizontal pod autoscaler
/// (wanted = ceil(value / target), unchanged within the tolerance; down only to the highest recommendation of
/// the window), the two averages and the panic mode those of Knative's. A value: the same samples give the same
/// numbers, so that a recorded trace can be replayed.
///
/// A policy:   steady ──the short average asks for `threshold` of the workers──▶ panic
///             panic ──a whole `window` without that──▶ steady
package struct ScalePolicy: Sendable {
    private let scale: Manifest.Scale
    private var windows: [ScaleMetric: MetricWindow] = [:]
    private var last: Monotonic?
    /// When a burst was last seen, and the most workers that were wanted since it began.
    private var panic: (seen: Monotonic, floor: Int)?
    private var recent = RecentMaximum()
    private var raised: Monotonic?
    private var wanted: Int

    package init(_ scale: Manifest.Scale) {
        self.scale = scale
        wanted = scale.min
        for metric in scale.target.keys where metric.isAveraged {
            windows[metric] = MetricWindow(
                span: max(scale.window, scale.panic.window),
                shortest: scale.panic.window
            )
        }
    }

    /// Takes in a sample and decides.
    package mutating func decide(_ sample: ScaleSample) -> ScaleDecision {
        let now = sample.at
        let elapsed = last.map { now - $0 } ?? .zero
        last = now
        for metric in windows.keys {
            windows[metric]?.add(sample.values[metric] ?? 0, for: elapsed, at: now)
        }
        let steady = wish(sample, over: scale.window)
        let burst = wish(sample, over: scale.panic.window)
        var decision = steady
        if panics(burst.wanted, sample.workers, at: now) {
            if burst.wanted > steady.wanted { decision = burst }
            let floor = max(panic?.floor ?? 0, decision.wanted)
            panic?.floor = floor
            decision.wanted = floor
            decision.reason = .panic
        }
        bound(&decision)
        hold(&decision, at: now)
        if decision.wanted > wanted { raised = now }
        wanted = decision.wanted
        return decision
    }

    /// What the target that asks for most asks for.
    private func wish(_ sample: ScaleSample, over window: Duration) -> ScaleDecision {
        var most = ScaleDecision(wanted: 0, reason: .target, metric: nil, value: 0, target: 0, bound: nil)
        for metric in ScaleMetric.allCases {
            guard let target = scale.target[metric] else { continue }
            let value = windows[metric]?.average(over: window, at: sample.at) ?? sample.values[metric] ?? 0
            let workers = self.workers(for: value, of: metric, target: target, now: sample.workers)
            guard workers > most.wanted else { continue }
            most = ScaleDecision(
                wanted: workers,
                reason: .target,
                metric: metric,
                value: value,
                target: target,
                bound: nil
            )
        }
        return most
    }

    /// Percent of a core below which nobody works: a worker at rest wakes up now and then, and would be wanted
    /// for that for ever.
    private static let restingCPU = 0.5

    private func workers(for value: Double, of metric: ScaleMetric, target: Int, now current: Int) -> Int {
        if metric == .cpu, value < ScalePolicy.restingCPU { return 0 }
        let ratio = value / Double(target)
        if metric.isAveraged, current > 0 {
            let off = ratio / Double(current) - 1
            if abs(off) * 100 <= Double(scale.tolerance) + 1e-9 { return current }
        }
        // A hair over a whole number is rounding, not load. No host runs a million workers.
        return Int(min((ratio - 1e-9).rounded(.up), 1_000_000))
    }

    private mutating func panics(_ burst: Int, _ workers: Int, at now: Monotonic) -> Bool {
        if burst * 100 >= scale.panic.threshold * max(workers, 1) {
            panic = (now, panic?.floor ?? 0)
        } else if let seen = panic?.seen, now - seen >= scale.window {
            panic = nil
        }
        return panic != nil
    }

    private func bound(_ decision: inout ScaleDecision) {
        if decision.wanted > scale.max {
            decision.wanted = scale.max
            decision.bound = .max
        } else if decision.wanted < scale.min {
            decision.wanted = scale.min
            decision.bound = .min
        }
    }

    /// Keeps the number from falling too early.
    private mutating func hold(_ decision: inout ScaleDecision, at now: Monotonic) {
        let highest = recent.add(decision.wanted, at: now, window: scale.stabilization)
        guard decision.wanted < wanted else { return }
        if let raised, now - raised < scale.scaleDownDelay {
            decision.wanted = wanted
            decision.reason = .delayed
        } else if highest > decision.wanted {
            decision.wanted = min(wanted, highest)
            decision.reason = .stabilizing
        }
    }
}
