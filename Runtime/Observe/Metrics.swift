import FunctionCore
import Synchronization

/// Counters, gauges and histograms, and their Prometheus text
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
///
/// Threading: any. A series is made at its first use; at 4096 series further ones are counted under
/// `overflow`.
package final class Metrics: Sendable {
    /// What a metric is, declared once.
    package struct Family: Sendable {
        package enum Kind: String, Sendable { case counter, gauge, histogram }
        package var name: String
        package var help: String
        package var kind: Kind
        package var labels: [String]

        package init(_ name: String, _ kind: Kind, labels: [String] = [], help: String) {
            self.name = name
            self.kind = kind
            self.labels = labels
            self.help = help
        }
    }

    private struct Series: Hashable {
        var family: String
        var values: [String]
    }

    private struct Histogram {
        var buckets = [UInt64](repeating: 0, count: Metrics.bounds.count)
        var sum = 0.0
        var count: UInt64 = 0
    }

    private struct State {
        var numbers: [Series: Double] = [:]
        var histograms: [Series: Histogram] = [:]
        var overflow: UInt64 = 0
    }

    /// Upper bounds of histograms' buckets in seconds.
    private static let bounds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
    ]
    private static let seriesMax = 4096

    private let families: [Family]
    private let state = Mutex(State())

    package init(_ families: [Family]) {
        self.families = families
    }

    /// Adds to a counter.
    package func add(_ name: String, _ values: [String] = [], by amount: Double = 1) {
        update(Series(family: name, values: values)) { $0 += amount }
    }

    /// Sets a gauge.
    package func set(_ name: String, _ values: [String] = [], to amount: Double) {
        update(Series(family: name, values: values)) { $0 = amount }
    }

    /// Puts a duration into a histogram.
    package func observe(_ name: String, _ values: [String] = [], _ duration: Duration) {
        let seconds = Double(duration.nanoseconds) / 1e9
        let series = Series(family: name, values: values)
        state.withLock { state in
            guard state.histograms[series] != nil || state.histograms.count < Metrics.seriesMax else {
                state.overflow += 1
                return
            }
            var histogram = state.histograms[series] ?? Histogram()
            if let index = Metrics.bounds.firstIndex(where: { seconds <= $0 }) {
                histogram.buckets[index] += 1
            }
            histogram.sum += seconds
            histogram.count += 1
            state.histograms[series] = histogram
        }
    }

    /// One number; for tests and the admin API.
    package func value(_ name: String, _ values: [String] = []) -> Double {
        state.withLock { $0.numbers[Series(family: name, values: values)] ?? 0 }
    }

    private func update(_ series: Series, _ change: (inout Double) -> Void) {
        state.withLock { state in
            guard state.numbers[series] != nil || state.numbers.count < Metrics.seriesMax else {
                state.overflow += 1
                return
            }
            change(&state.numbers[series, default: 0])
        }
    }

    /// All of it as Prometheus text, version 0.0.4.
    package func text() -> String {
        let state = self.state.withLock { $0 }
        var out = ""
        for family in families {
            let help = Metrics.escaped(family.help, quotes: false)
            out += "# HELP \(family.name) \(help)\n# TYPE \(family.name) \(family.kind.rawValue)\n"
            if family.kind == .histogram {
                for (series, histogram) in state.histograms.filter({ $0.key.family == family.name }).sorted(
                    by: order
                ) {
                    out += Metrics.lines(family, series.values, histogram)
                }
            } else {
                let series = state.numbers.filter { $0.key.family == family.name }
                if series.isEmpty, family.labels.isEmpty { out += "\(family.name) 0\n" }
                for (series, value) in series.sorted(by: {
                    $0.key.values.lexicographicallyPrecedes($1.key.values)
                }) {
                    let labels = Metrics.labels(family.labels, series.values)
                    out += "\(family.name)\(labels) \(Metrics.number(value))\n"
                }
            }
        }
        out += "# HELP swiftlet_metrics_overflow_total Updates refused because there were too many series.\n"
        out += "# TYPE swiftlet_metrics_overflow_total counter\n"
        out += "swiftlet_metrics_overflow_total \(state.overflow)\n"
        return out
    }

    private func order(
        _ left: (key: Series, value: Histogram),
        _ right: (key: Series, value: Histogram)
    ) -> Bool {
        left.key.values.lexicographicallyPrecedes(right.key.values)
    }

    private static func lines(_ family: Family, _ values: [String], _ histogram: Histogram) -> String {
        var out = ""
        var total: UInt64 = 0
        for (bound, count) in zip(bounds, histogram.buckets) {
            total += count
            let labels = labels(family.labels + ["le"], values + [number(bound)])
            out += "\(family.name)_bucket\(labels) \(total)\n"
        }
        out +=
            "\(family.name)_bucket\(labels(family.labels + ["le"], values + ["+Inf"])) \(histogram.count)\n"
        out += "\(family.name)_sum\(labels(family.labels, values)) \(number(histogram.sum))\n"
        out += "\(family.name)_count\(labels(family.labels, values)) \(histogram.count)\n"
        return out
    }

    private static func labels(_ names: [String], _ values: [String]) -> String {
        if names.isEmpty { return "" }
        let pairs = zip(names, values).map { name, value in "\(name)=\"\(escaped(value))\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    private static func escaped(_ text: String, quotes: Bool = true) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\"" where quotes: out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }
}
