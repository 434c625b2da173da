import Foundation
import FunctionCore
import Scheduling

/// An instant by its RFC 3339 text; a fixture with a typing error ends the test run.
func at(_ text: String) -> Instant {
    guard let instant = Instant(rfc3339: text) else { preconditionFailure("\(text) is no instant") }
    return instant
}

/// A reading of a wall clock, as `2026-03-08T02:30`.
func wall(_ text: String) -> CivilTime {
    let parts = text.split(separator: "T")
    guard let date = CivilDate(parsing: parts[0]), let time = TimeOfDay(parsing: parts[1]) else {
        preconditionFailure("\(text) is no reading of a wall clock")
    }
    return CivilTime(date, time)
}

/// Files of the repository, found from this file's own path.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// The text of a golden file; with `GOLDEN=update` in the environment it is written first.
    static func golden(_ path: String, actual: String) throws -> String {
        if ProcessInfo.processInfo.environment["GOLDEN"] == "update" {
            try actual.write(to: root.appendingPathComponent(path), atomically: true, encoding: .utf8)
        }
        return try text(path)
    }
}

enum Market {
    /// The New York Stock Exchange as the rules tell it.
    static func xnys(_ years: ClosedRange<Int> = 2025...2028) throws -> MarketCalendar {
        try MarketCalendar(rules: XNYSReference.rules(years: years), zone: .load("America/New_York"))
    }

    /// Trading while the exchange is open, learning from a while after the close to a while before the open.
    static func rotation(drainLimit: Duration = .seconds(120)) throws -> RotationPlan {
        try RotationPlan(
            id: "market",
            calendar: xnys(),
            windows: [
                RotationWindow(
                    name: "trading",
                    from: SessionEdge(.open),
                    to: SessionEdge(.close, .seconds(-300)),
                    drainLimit: drainLimit
                ),
                RotationWindow(
                    name: "learning",
                    from: SessionEdge(.close, .seconds(900)),
                    to: SessionEdge(.open, .seconds(-1_800)),
                    drainLimit: drainLimit
                ),
            ]
        )
    }

    /// The same with all that a window can have.
    static func fullRotation() throws -> RotationPlan {
        try RotationPlan(
            id: "market",
            calendar: xnys(),
            windows: [
                RotationWindow(
                    name: "trading",
                    from: SessionEdge(.open),
                    to: SessionEdge(.close),
                    arm: .seconds(300),
                    cutoff: SessionEdge(parsing: "2m before close"),
                    hardStop: SessionEdge(parsing: "15s before close"),
                    checkpoint: .seconds(20)
                ),
                RotationWindow(
                    name: "learning",
                    from: SessionEdge(parsing: "close+15m"),
                    to: SessionEdge(parsing: "30m before open"),
                    drainLimit: .seconds(120)
                ),
            ]
        )
    }
}
