import FunctionCore

/// Trains the rule by which `trading` decides, on the bars that `trading` gathered, while the market is
/// closed.
///
/// It acts only inside its window, which the host's fencing token proves; `status` tells anybody what came of
/// the last run.
public struct LearningFunction: AsyncFunction {
    /// Nothing is kept between events; all state is in Redis.
    public init() {}

    /// `run`, also where no operation is named, trains once; `status` tells of the last run; `checkpoint`, the
    /// last event of a window, tells which model the window leaves.
    public func handle(_ event: Event, _ context: Context) async throws -> Reply {
        let object = try event.object()
        switch event.operation.isEmpty ? object["operation"]?.stringValue ?? "run" : event.operation {
        case "run":
            guard context.fencingToken != nil else {
                throw FunctionError.conflict(
                    "fencing_token_missing",
                    "learning runs only in its window; its schedule invokes it while the market is closed"
                )
            }
            let occasion = try LearningOccasion(object, now: context.now)
            return .json(try await LearningRun(context: context, occasion: occasion).perform())
        case "checkpoint":
            let report = try await LearningStatus.read(context)
            return .json([
                "at": .string(context.now.rfc3339), "model": report["model"] ?? .null,
                "champion": report["champion"] ?? .null,
            ])
        case "status":
            return .json(try await LearningStatus.read(context))
        default:
            throw FunctionError.badRequest("unknown_operation", "operation must be run, status or checkpoint")
        }
    }
}

/// What a run was fired for.
struct LearningOccasion: Sendable {
    var window: String?
    /// When the window closes; the run stops at the next candidate after it.
    var until: Instant?
    /// Bars that were not complete at this instant do not exist for the run.
    var cutoff: Instant

    /// Reads a schedule's event, or a plain one, in which `as_of` may set the cutoff into the past.
    /// - Throws: `FunctionError` 422 for an instant that is none; 409 `window_closed` for a window that is
    /// over.
    init(_ object: JSON, now: Instant) throws {
        until = try LearningOccasion.instant(object, "until")
        window = object["window"]?.stringValue
        cutoff = min(now, try LearningOccasion.instant(object, "as_of") ?? now)
        if let until, until <= now {
            throw FunctionError.conflict("window_closed", "the learning window closed at \(until.rfc3339)")
        }
    }

    private static func instant(_ object: JSON, _ name: String) throws -> Instant? {
        guard let value = object[name], !value.isNull else { return nil }
        guard let instant = value.stringValue.flatMap({ Instant(rfc3339: $0) }) else {
            throw FunctionError.invalid(name, "type", "\(name) must be a time such as 2026-11-27T18:00:00Z")
        }
        return instant
    }
}
