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

    private struct Key: Hashable {
        var family: String
        var values: [String]
    }

    private struct State {
        var numbers: [Key: NumberSeries] = [:]
        var histograms: [Key: HistogramSeries] = [:]
    }

    private static let seriesMax = 4096

    private let families: [Family]
    private let state = Mutex(State())
    private let overflow = NumberSeries()

    package init(_ families: [Family]) {
        self.families = families
    }

    /// The series of a counter or gauge, for those who update it often.
    ///
    /// Past the bound it is the one that counts what was refused.
    package func number(_ name: String, _ values: [String] = []) -> NumberSeries {
        let key = Key(family: name, values: values)
        return state.withLock { state in
            if let series = state.numbers[key] { return series }
            guard state.numbers.count < Metrics.seriesMax else { return overflow }
            let series = NumberSeries()
            state.numbers[key] = series
            return series
        }
    }

    /// The series of a histogram, for those who update it often; nil past the bound.
    package func histogram(_ name: String, _ values: [String] = []) -> HistogramSeries? {
        let key = Key(family: name, values: values)
        return state.withLock { state in
            if let series = state.histograms[key] { return series }
            guard state.histograms.count < Metrics.seriesMax else { return nil }
            let series = HistogramSeries()
            state.histograms[key] = series
            return series
        }
    }

    /// Adds to a counter.
    package func add(_ name: String, _ values: [String] = [], by amount: Double = 1) {
        let series = number(name, values)
        series.add(series === overflow ? 1 : amount)
    }

    /// Sets a gauge.
    package func set(_ name: String, _ values: [String] = [], to amount: Double) {
        let series = number(name, values)
        if series === overflow { series.add(1) } else { series.set(amount) }
    }

    /// Puts a duration into a histogram.
    package func observe(_ name: String, _ values: [String] = [], _ duration: Duration) {
        observe(histogram(name, values), duration)
    }

    /// Puts a duration into a series of a histogram; one past the bound is counted as refused.
    package func observe(_ series: HistogramSeries?, _ duration: Duration) {
        if let series { series.observe(duration) } else { overflow.add(1) }
    }

    /// One number; for tests and the admin API.
    package func value(_ name: String, _ values: [String] = []) -> Double {
        state.withLock { $0.numbers[Key(family: name, values: values)]?.value ?? 0 }
    }

    /// All numbers of a family, by their labels; for the console.
    package func numbers(of family: String) -> [[String]: Double] {
        let all = state.withLock { $0.numbers }
        return all.reduce(into: [:]) { if $1.key.family == family { $0[$1.key.values] = $1.value.value } }
    }

    /// The counts in the buckets of a family's histograms, by their labels; the last one is over all bounds.
    package func buckets(of family: String) -> [[String]: [UInt64]] {
        let all = state.withLock { $0.histograms }
        return all.reduce(into: [:]) {
            guard $1.key.family == family else { return }
            let reading = $1.value.reading
            $0[$1.key.values] = reading.buckets + [reading.count - reading.buckets.reduce(0, +)]
        }
    }

    /// All of it as Prometheus text, version 0.0.4.
    package func text() -> String {
        let (numbers, histograms) = state.withLock { ($0.numbers, $0.histograms) }
        var out = ""
        for family in families {
            let help = Metrics.escaped(family.help, quotes: false)
            out += "# HELP \(family.name) \(help)\n# TYPE \(family.name) \(family.kind.rawValue)\n"
            if family.kind == .histogram {
                for (series, histogram) in histograms.filter({ $0.key.family == family.name }).sorted(
                    by: order
                ) {
                    out += Metrics.lines(family, series.values, histogram)
                }
            } else {
                let series = numbers.filter { $0.key.family == family.name }
                if series.isEmpty, family.labels.isEmpty { out += "\(family.name) 0\n" }
                for (series, value) in series.sorted(by: {
                    $0.key.values.lexicographicallyPrecedes($1.key.values)
                }) {
                    let labels = Metrics.labels(family.labels, series.values)
                    out += "\(family.name)\(labels) \(Metrics.number(value.value))\n"
                }
            }
        }
        out += "# HELP swiftlet_metrics_overflow_total Updates refused because there were too many series.\n"
        out += "# TYPE swiftlet_metrics_overflow_total counter\n"
        out += "swiftlet_metrics_overflow_total \(Metrics.number(overflow.value))\n"
        return out
    }

    private func order(
        _ left: (key: Key, value: HistogramSeries),
        _ right: (key: Key, value: HistogramSeries)
    ) -> Bool {
        left.key.values.lexicographicallyPrecedes(right.key.values)
    }

    private static func lines(_ family: Family, _ values: [String], _ series: HistogramSeries) -> String {
        var out = ""
        var total: UInt64 = 0
        let histogram = series.reading
        for (bound, count) in zip(HistogramSeries.bounds, histogram.buckets) {
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
