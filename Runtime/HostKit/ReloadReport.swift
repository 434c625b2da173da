import FunctionCore
import HTTPTrigger
import Settings

/// What came of a reload.
package enum ReloadReport: Sendable {
    /// A new generation is in force.
    case done(Generation, GenerationChange, after: Duration)
    /// Nothing has changed.
    case unchanged(Generation)
    /// The files or the bundle are faulty; the old generation is in force.
    case refused([Problem])
    /// The new workers did not start; the old generation is in force.
    case rolledBack([String])

    package var succeeded: Bool {
        switch self {
        case .done, .unchanged: true
        case .refused, .rolledBack: false
        }
    }

    /// As the admin API says it.
    package var json: JSON {
        switch self {
        case .done(let generation, let change, let time):
            return [
                "generation": .integer(Int64(generation.number)), "bundle": .string(generation.bundle.hash),
                "changed": strings(change.changed), "added": strings(change.added),
                "removed": strings(change.removed), "schedules": .bool(change.schedules),
                "milliseconds": .integer(time.nanoseconds / 1_000_000),
            ]
        case .unchanged(let generation):
            return [
                "generation": .integer(Int64(generation.number)), "bundle": .string(generation.bundle.hash),
                "changed": [], "added": [], "removed": [], "schedules": false,
            ]
        case .refused(let problems):
            let list = problems.map { problem -> JSON in
                var object: JSONObject = [
                    "file": .string(problem.file), "message": .string(problem.message),
                    "hint": .string(problem.hint),
                ]
                if let line = problem.line { object["line"] = .integer(Int64(line)) }
                return .object(object)
            }
            let message = "the project has \(problems.count) faults; what was in force stays"
            return [
                "error": ["code": "reload_refused", "message": .string(message), "problems": .array(list)]
            ]
        case .rolledBack(let reasons):
            let message = "\(reasons.joined(separator: "; ")); what was in force stays"
            return ["error": ["code": "reload_rolled_back", "message": .string(message)]]
        }
    }

    var response: EndpointResponse { .json(json, status: succeeded ? 200 : 422) }

    private func strings(_ list: [String]) -> JSON { .array(list.map { .string($0) }) }
}
