import FunctionCore
import Invocations

/// A recorded trace of a pool's metrics, and what a policy makes of it.
///
/// CSV with a head line. `time` is in seconds; `workers` and the names of `ScaleMetric` are what was measured,
/// and a trace without `workers` has always those that were wanted. `wanted` and `why` are written and, where
/// they are read, passed over. Lines that begin with `#` are remarks.
package struct ScaleTrace: Sendable {
    package struct Fault: Error, CustomStringConvertible {
        package var line: Int
        package var message: String
        package var description: String { "line \(line): \(message)" }
    }

    package private(set) var samples: [ScaleSample] = []
    /// Whether the trace says how many workers there were.
    private var hasWorkers = false
    private var metrics: [ScaleMetric] = []

    /// Takes samples as they were recorded.
    package init(_ samples: [ScaleSample]) {
        self.samples = samples
        hasWorkers = true
        metrics = ScaleMetric.allCases.filter { metric in samples.contains { $0.values[metric] != nil } }
    }

    /// Reads a trace.
    package init(_ text: String) throws(Fault) {
        var columns: [Substring]?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        where !line.isEmpty && !line.hasPrefix("#") {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            if let columns {
                try read(fields, columns, line: index + 1)
            } else {
                try readHead(fields, line: index + 1)
                columns = fields
            }
        }
    }

    private mutating func readHead(_ fields: [Substring], line: Int) throws(Fault) {
        let known = ["time", "workers", "wanted", "why"] + ScaleMetric.allCases.map(\.rawValue)
        if let odd = fields.first(where: { !known.contains(String($0)) }) {
            throw Fault(
                line: line,
                message: "`\(odd)` is no column; there are \(known.joined(separator: ", "))"
            )
        }
        guard fields.contains("time") else {
            throw Fault(line: line, message: "a column `time`, in seconds, is missing")
        }
        hasWorkers = fields.contains("workers")
        metrics = ScaleMetric.allCases.filter { fields.contains(Substring($0.rawValue)) }
    }

    private mutating func read(_ fields: [Substring], _ columns: [Substring], line: Int) throws(Fault) {
        var sample = ScaleSample(at: Monotonic(nanoseconds: 0), workers: 0, values: [:])
        for (column, field) in zip(columns, fields) where column != "wanted" && column != "why" {
            guard let number = Double(field), (0...1e9).contains(number) else {
                throw Fault(line: line, message: "\(column): `\(field)` is no number from 0 to 1000000000")
            }
            switch column {
            case "time": sample.at = Monotonic(nanoseconds: Int64(number * 1e9))
            case "workers": sample.workers = Int(number)
            default: if let metric = ScaleMetric(rawValue: String(column)) { sample.values[metric] = number }
            }
        }
        if let last = samples.last, sample.at <= last.at {
            throw Fault(line: line, message: "time: it does not come after the line before")
        }
        samples.append(sample)
    }

    /// What a policy decides at each sample.
    package func replay(_ scale: Manifest.Scale) -> [ScaleDecision] {
        var policy = ScalePolicy(scale)
        var workers = scale.min
        return samples.map { sample in
            var sample = sample
            if !hasWorkers { sample.workers = workers }
            let decision = policy.decide(sample)
            workers = decision.wanted
            return decision
        }
    }

    /// The trace as it is read, with the decisions where there are some.
    package func text(_ decisions: [ScaleDecision] = []) -> String {
        var columns = ["time"] + (hasWorkers ? ["workers"] : []) + metrics.map(\.rawValue)
        if !decisions.isEmpty { columns += ["wanted", "why"] }
        var out = columns.joined(separator: ",") + "\n"
        for (index, sample) in samples.enumerated() {
            var fields = [ScaleTrace.number(Double(sample.at.nanoseconds) / 1e9)]
            if hasWorkers { fields.append("\(sample.workers)") }
            fields += metrics.map { ScaleTrace.number(sample.values[$0] ?? 0) }
            if !decisions.isEmpty { fields += ["\(decisions[index].wanted)", decisions[index].text] }
            out += fields.joined(separator: ",") + "\n"
        }
        return out
    }

    private static func number(_ value: Double) -> String {
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
    }
}
