import FunctionCore

/// Trades one step at each firing of its schedule: gathers the newest bars, asks the current model, places
/// orders.
///
/// It acts only inside its window, which the host's fencing token proves; `status` tells anybody what the
/// last step did.
public struct TradingFunction: AsyncFunction {
    /// Nothing is kept between events; all state is in Redis and with the broker.
    public init() {}

    /// `run`, also where no operation is named, makes one step; `status` tells of the last one; `checkpoint`,
    /// the last event of a window, tells what the window leaves.
    public func handle(_ event: Event, _ context: Context) async throws -> Reply {
        let object = try event.object()
        switch event.operation.isEmpty ? object["operation"]?.stringValue ?? "run" : event.operation {
        case "run":
            guard context.fencingToken != nil else {
                throw FunctionError.conflict(
                    "fencing_token_missing",
                    "trading runs only in its window; its schedule invokes it while the market is open"
                )
            }
            let occasion = try TradingOccasion(object, now: context.now)
            return .json(try await TradingRun(context: context, occasion: occasion).perform())
        case "checkpoint":
            return .json(try await TradingStatus.checkpoint(context))
        case "status":
            return .json(try await TradingStatus.read(context))
        default:
            throw FunctionError.badRequest("unknown_operation", "operation must be run, status or checkpoint")
        }
    }
}

/// What a step was fired for.
struct TradingOccasion: Sendable {
    /// The instant of the schedule; nil for an invocation by hand.
    var nominal: Instant?
    var window: String?
    /// When the window closes.
    var until: Instant?
    /// What learning left at the end of its window.
    var handover: JSON?

    /// Reads a schedule's event, or a plain one that may name the same members.
    /// - Throws: `FunctionError` 422 for an instant that is none; 409 `window_closed` for a window that is
    /// over.
    init(_ object: JSON, now: Instant) throws {
        nominal = try TradingOccasion.instant(object, "nominal")
        until = try TradingOccasion.instant(object, "until")
        window = object["window"]?.stringValue
        handover = object["handover"]?.stringValue.flatMap { try? JSON.parse(Bytes($0)) }
        if let until, until <= now {
            throw FunctionError.conflict("window_closed", "the trading window closed at \(until.rfc3339)")
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
