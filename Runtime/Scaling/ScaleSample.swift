import FunctionCore
import Invocations

/// How a pool stood at one moment.
package struct ScaleSample: Sendable, Equatable {
    package var at: Monotonic
    /// Workers that serve or are being started.
    package var workers: Int
    /// Since the sample before: sums over all workers, as `ScaleMetric` says.
    package var values: [ScaleMetric: Double]

    package init(at: Monotonic, workers: Int, values: [ScaleMetric: Double]) {
        self.at = at
        self.workers = workers
        self.values = values
    }
}

/// How many workers a policy wants, and why.
package struct ScaleDecision: Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// What the targets ask for.
        case target
        /// A burst: its short average counts, and nothing is taken back.
        case panic
        /// Fewer would do, but more were wanted within the stabilisation window.
        case stabilizing
        /// Fewer would do, but a worker was added within the delay.
        case delayed
    }

    package enum Bound: String, Sendable, Equatable { case min, max }

    package var wanted: Int
    package var reason: Reason
    /// The metric that asked for most, and how much of it there was.
    package var metric: ScaleMetric?
    package var value: Double
    package var target: Int
    /// The limit of the manifest that was met.
    package var bound: Bound?

    /// The reason in words, without a comma.
    package var text: String {
        var parts: [String] = []
        switch reason {
        case .target: break
        case .panic: parts.append("panic")
        case .stabilizing: parts.append("stabilizing")
        case .delayed: parts.append("scale-down delay")
        }
        if let metric {
            let rounded = (value * 10).rounded() / 10
            let shown = rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
            parts.append("\(metric.rawValue) \(shown) at \(target) a worker")
        } else if parts.isEmpty {
            parts.append("no load")
        }
        if let bound { parts.append("bounded by \(bound.rawValue)") }
        return parts.joined(separator: "; ")
    }
}
