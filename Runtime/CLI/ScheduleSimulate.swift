import ArgumentParser
import FunctionCore
import HostKit
import Scheduling
import Settings

extension Schedule {
    /// `swiftlet schedule simulate`.
    struct Simulate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints every firing, verdict and window of a stretch of time, without a host.",
            discussion:
                "The schedules' own machines run, on a clock and a store of their own. Dates are UTC; --to is the last day."
        )

        @Option(help: "A date or an instant.") var from: String
        @Option(help: "A date, to its end, or an instant.") var to: String
        @Option(help: "No host runs in this stretch: FROM..TO, dates or instants; more than once.")
        var down: [String] = []
        @Option(help: "How long each run takes, such as 250ms or 5m.") var runTime = "0s"
        @Flag(help: "Only sums: of each schedule, how many times ended with which verdict.") var summary =
            false
        @OptionGroup var files: ProjectFiles
        @OptionGroup var output: OutputOptions

        func run() {
            guard let runTime = parseDuration(runTime) else {
                leave(64, "--run-time must be a duration such as 250ms, 30s or 5m")
            }
            let start = moment(from, "--from", isEnd: false)
            let end = moment(to, "--to", isEnd: true)
            guard start <= end else { leave(64, "--to \(to) is before --from \(from)") }
            var simulation = ScheduleSimulation(
                plan: Schedule.plan(files),
                from: start,
                to: end,
                down: down.map(stretch),
                runTime: runTime
            )
            var lines = SimulationLines(isJSON: output.json, isSummary: summary)
            simulation.run { lines.add($0, $1) }
            lines.finish()
            // What rests for a fault has no times to be told: the picture is not whole.
            if let fault = lines.fault { leave(1, fault.description) }
        }

        private func moment(_ text: String, _ option: String, isEnd: Bool) -> Instant {
            guard let date = CivilDate(parsing: text) else {
                if text.contains(where: { $0 == "T" || $0 == " " }) { return Schedule.instant(text, option) }
                leave(64, "\(option) must be a date such as 2026-01-01, or an instant: \(Instant.forms)")
            }
            guard 1678...2261 ~= date.year else { leave(64, "\(option) \(text) is not within 1678 and 2261") }
            let midnight = Instant(seconds: date.daysSinceEpoch * 86_400)
            return isEnd ? midnight + .seconds(86_400) - .nanoseconds(1) : midnight
        }

        private func stretch(_ text: String) -> Range<Instant> {
            let ends = text.split(separator: "..", omittingEmptySubsequences: false).map { String($0) }
            guard ends.count == 2 else {
                leave(64, "--down must be FROM..TO, such as 2026-03-01..2026-03-03")
            }
            let start = moment(ends[0], "--down", isEnd: false)
            let end = moment(ends[1], "--down", isEnd: false)
            guard start < end else { leave(64, "--down: \(ends[1]) is not after \(ends[0])") }
            return start..<end
        }
    }
}

/// What a simulation prints: many lines a second, so they are gathered and written in large pieces.
private struct SimulationLines {
    let isJSON: Bool
    let isSummary: Bool
    private var text = ""
    /// The first of what kept something from its times.
    private(set) var fault: SchedulingError?
    private var sums: [String: [String: Int]] = [:]

    init(isJSON: Bool, isSummary: Bool) {
        self.isJSON = isJSON
        self.isSummary = isSummary
    }

    mutating func add(_ now: Instant, _ event: ScheduleSimulation.Event) {
        switch event {
        case .decided(let decision):
            sums[decision.id, default: [:]][decision.verdict.name, default: 0] += 1
            if !isSummary { add(decision) }
        case .windowOpens(let rotation, let window, let token): add(now, "opens", rotation, window, token)
        case .windowCutOff(let rotation, let window, let token): add(now, "cut off", rotation, window, token)
        case .windowCloses(let rotation, let window, let token): add(now, "closes", rotation, window, token)
        case .hostDown: add(now, "host", "down")
        case .hostUp: add(now, "host", "up")
        case .fault(let error):
            fault = fault ?? error
            add(now, "fault", error.message)
        }
        if text.utf8.count > 1 << 16 { flush() }
    }

    mutating func finish() {
        if isSummary {
            for (id, verdicts) in sums.sorted(by: { $0.key < $1.key }) {
                let counts = verdicts.sorted { $0.key < $1.key }
                if isJSON {
                    let members = counts.map { ($0.key, JSON.integer(Int64($0.value))) }
                    text += JSON.object(JSONObject([("schedule", .string(id))] + members)).text + "\n"
                } else {
                    let list = counts.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
                    text += "\(Banner.padded(id, 30))\(list)\n"
                }
            }
        }
        flush()
    }

    private mutating func add(_ decision: ScheduleDecision) {
        if isJSON {
            text += decision.json.text + "\n"
        } else {
            var reason = decision.verdict.reason
            if case .coalesced(let into) = decision.verdict { reason = "into \(into.rfc3339)" }
            let cause = decision.cause == .scheduled ? "" : "  \(decision.cause.rawValue)"
            text += "\(decision.nominal.rfc3339)  \(decision.id)  \(decision.verdict.name)"
            text += (reason.isEmpty ? "" : " \(reason)") + cause + "\n"
        }
    }

    private mutating func add(
        _ now: Instant,
        _ change: String,
        _ rotation: String,
        _ window: String,
        _ token: UInt64
    ) {
        if isSummary { return }
        if isJSON {
            let object: JSON = [
                "at": .string(now.rfc3339), "rotation": .string(rotation), "window": .string(window),
                "change": .string(change), "token": .integer(Int64(clamping: token)),
            ]
            text += object.text + "\n"
        } else {
            text += "\(now.rfc3339)  \(rotation).\(window)  window \(change), token \(token)\n"
        }
    }

    private mutating func add(_ now: Instant, _ what: String, _ state: String) {
        if isSummary { return }
        let object: JSON = ["at": .string(now.rfc3339), what: .string(state)]
        text += isJSON ? object.text + "\n" : "\(now.rfc3339)  \(what)  \(state)\n"
    }

    private mutating func flush() {
        writeOut(Bytes(text))
        text = ""
    }
}
