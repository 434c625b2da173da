import FunctionCore

/// When sources are built: a while after the last save, one build at a time, and not one that a newer save has
/// outdated.
///
///     idle ── saved ──► settling ── quiet ──► building ── ended ──► idle
///                          ▲                     │ saved: cancel
///                          └──────── ended ──────┘
///
/// Pure: it is told what has happened and when, and answers what to do.
package struct BuildMachine: Sendable {
    /// What to do.
    package enum Action: Sendable, Hashable {
        /// Begin a build.
        case start
        /// Stop the build that runs; its end is still to be told.
        case cancel
        /// Tell `passed` at that instant.
        case wake(at: Monotonic)
    }

    /// How long nothing may be saved before a build begins: an editor writes several files, a checkout hundreds.
    package static let quiet = Duration.milliseconds(60)
    /// How long saves may put a build off.
    package static let patience = Duration.seconds(2)

    private var firstSave: Monotonic?
    private var settled: Monotonic?
    private var isBuilding = false
    private var isCancelling = false

    package init() {}

    /// Whether a build runs or will.
    package var isBusy: Bool { isBuilding || settled != nil }

    /// Sources have changed.
    package mutating func saved(_ now: Monotonic) -> [Action] {
        let first = firstSave ?? now
        firstSave = first
        let settled = min(now + BuildMachine.quiet, first + BuildMachine.patience)
        self.settled = settled
        guard isBuilding else { return [.wake(at: settled)] }
        guard !isCancelling else { return [] }
        isCancelling = true
        return [.cancel]
    }

    /// Time has passed.
    package mutating func passed(_ now: Monotonic) -> [Action] {
        guard let settled, !isBuilding else { return [] }
        guard now >= settled else { return [.wake(at: settled)] }
        self.settled = nil
        firstSave = nil
        isBuilding = true
        return [.start]
    }

    /// The build is over, one way or another.
    package mutating func ended(_ now: Monotonic) -> [Action] {
        isBuilding = false
        isCancelling = false
        return passed(now)
    }
}
