import FunctionCore
import Journal
import Scheduling
import Settings

/// Schedules as the admin API and the command line show them.
extension SchedulePlan.Upcoming {
    package var json: JSON {
        var object: JSONObject = [
            "at": .string(instant.rfc3339), "schedule": .string(id), "function": .string(function),
        ]
        if let window { object["window"] = .string(window) }
        return .object(object)
    }
}

extension SchedulePlan {
    /// Whether a schedule, or the function of one, is called so.
    package func knows(_ name: String) -> Bool {
        entries.contains { $0.id == name || $0.function == name }
    }

    /// That there is none of a name.
    package func unknown(_ name: String) -> String {
        let near = nearest(name, entries.map(\.id) + entries.map(\.function)).map { "did you mean \($0)?" }
        let remedy = near ?? "`swiftlet schedule list` names them"
        return "no schedule, and no function of one, is called \(name); \(remedy)"
    }
}

extension Scheduler.Standing {
    var json: JSON {
        var object: JSONObject = [
            "id": .string(entry.id), "function": .string(entry.function), "when": .string(entry.kind.text),
            "next": next.map { .string($0.rfc3339) } ?? .null,
            "decided": state.mark.map { .string($0.rfc3339) } ?? .null,
            "runs": .integer(Int64(state.runs)), "running": .integer(Int64(running)),
            "waiting": .integer(Int64(waiting)), "failures": .integer(Int64(state.failures)),
        ]
        if let pause = state.pause { object["paused"] = .string(pause) }
        if let remaining = entry.policy.remaining {
            object["remaining"] = .integer(Int64(max(0, remaining - state.runs)))
        }
        return .object(object)
    }
}

extension SchedulePolicy {
    var json: JSON {
        var object: JSONObject = ["catchUp": .string(catchUp.text), "overlap": .string(overlap.rawValue)]
        if let deadline { object["deadline"] = .string(durationText(deadline)) }
        if isBoundToWindow { object["deadline"] = "window" }
        if let pauseOnFailure { object["pauseOnFailure"] = .integer(Int64(pauseOnFailure)) }
        if let remaining { object["remaining"] = .integer(Int64(remaining)) }
        return .object(object)
    }
}

extension SchedulePolicy.CatchUp {
    var text: String {
        switch self {
        case .none: "none"
        case .latest: "latest"
        case .all(let max): "all(\(max))"
        }
    }
}

extension ScheduleDecision {
    package var json: JSON {
        var object: JSONObject = [
            "schedule": .string(id), "nominal": .string(nominal.rfc3339), "verdict": .string(verdict.name),
        ]
        switch verdict {
        case .coalesced(let into): object["into"] = .string(into.rfc3339)
        case .waiting, .run: break
        case .skipped, .missed: object["reason"] = .string(verdict.reason)
        }
        object["cause"] = .string(cause.rawValue)
        if due != nominal { object["due"] = .string(due.rfc3339) }
        object["decided"] = .string(at.rfc3339)
        return .object(object)
    }

    /// Why, in words.
    package var sentence: String {
        switch verdict {
        case .waiting: "it waits for an earlier run to end"
        case .run: "it was run" + cause.aside
        case .coalesced(let into): "\(into.rfc3339) stands for it" + cause.aside
        case .skipped(.overlap): "an earlier run was still on"
        case .skipped(.paused): "the schedule was paused"
        case .skipped(.excluded): "the schedule leaves it out (exclude)"
        case .skipped(.limit): "the schedule had had all its runs (remaining)"
        case .missed(.deadline): "it would have begun after its deadline" + cause.aside
        case .missed(.windowClosed): "its window had closed" + cause.aside
        case .missed(.bufferFull): "\(ScheduleMachine.bufferLimit) times waited already"
        case .missed(.catchUpNone): "it passed while nobody looked, and nothing is caught up with (catchUp)"
        case .missed(.catchUpLimit):
            "it passed while nobody looked, and more came after it than are caught up with (catchUp)"
        }
    }
}

extension ScheduleDecision.Cause {
    fileprivate var aside: String {
        switch self {
        case .scheduled: ""
        case .catchUp: ", late, as nobody looked when it was due"
        case .clockStep: ", late, as the clock was put forward over it"
        case .trigger: ", by hand"
        case .backfill: ", by hand, as a backfill"
        }
    }
}

extension ScheduleLedger.Entry {
    var json: JSON {
        guard case .object(var object) = decision.json else { return decision.json }
        if let job { object["job"] = .string(job) }
        if let end { object["end"] = .string(end.rawValue) }
        return .object(object)
    }

    /// Why, in words, and how it ended.
    var sentence: String {
        switch end {
        case .succeeded: "\(decision.sentence), and succeeded"
        case .failed: "\(decision.sentence), and failed"
        case .cancelled: "\(decision.sentence), and was cancelled"
        case nil: decision.sentence + (decision.verdict == .run ? ", and is under way" : "")
        }
    }
}
