import FunctionCore
import Synchronization

/// A function's part of what may be in flight on the host.
package protocol FunctionShare: Sendable {
    /// Takes one; where there is none, false, and whoever asked is told when there may be one.
    func take() -> Bool
    func giveBack()
}

/// Who has how much of what may be in flight on the host.
///
/// What is reserved for a function is its alone; the rest is for whoever comes first, also for those that
/// have used up what is reserved for them. A value.
package struct InFlightLedger: Sendable {
    private let bound: Int
    private var reserved: [String: Int]
    private var running: [String: Int] = [:]
    /// How much of the common part is in use.
    private var common = 0

    package init(bound: Int, reserved: [String: Int]) {
        self.bound = bound
        self.reserved = reserved
    }

    package var total: Int { running.values.reduce(0, +) }

    package mutating func take(_ function: String) -> Bool {
        let has = running[function] ?? 0
        let own = reserved[function] ?? 0
        if has >= own {
            guard common < bound - reserved.values.reduce(0, +) else { return false }
            common += 1
        }
        running[function] = has + 1
        return true
    }

    package mutating func giveBack(_ function: String) {
        guard let has = running[function], has > 0 else { return }
        if has > reserved[function] ?? 0 { common -= 1 }
        running[function] = has == 1 ? nil : has - 1
    }

    /// Other reservations are in force; what runs counts anew against them.
    package mutating func replace(reserved next: [String: Int]) {
        reserved = next
        common = running.reduce(0) { $0 + max(0, $1.value - (next[$1.key] ?? 0)) }
    }
}

/// The host's `maxInFlight`, shared by its pools.
///
/// Threading: any; each pool asks on its own loop.
package final class InFlightShares: Sendable {
    private struct State {
        var ledger: InFlightLedger
        /// Pools that were refused, and what tells them to look again.
        var refused: [ObjectIdentifier: @Sendable () -> Void] = [:]

        /// All that are to be told, who are no longer refused then.
        mutating func takeRefused() -> [@Sendable () -> Void] {
            guard !refused.isEmpty else { return [] }
            defer { refused = [:] }
            return Array(refused.values)
        }
    }

    private let state: Mutex<State>

    /// Nil without a bound.
    package init?(bound: Int?, reserved: [String: Int]) {
        guard let bound else { return nil }
        state = Mutex(State(ledger: InFlightLedger(bound: bound, reserved: reserved)))
    }

    package func replace(reserved: [String: Int]) {
        tell(
            state.withLock { state in
                state.ledger.replace(reserved: reserved)
                return state.takeRefused()
            }
        )
    }

    fileprivate func take(_ function: String, _ pool: PoolShare) -> Bool {
        state.withLock { state in
            if state.ledger.take(function) { return true }
            state.refused[ObjectIdentifier(pool)] = pool.again
            return false
        }
    }

    fileprivate func giveBack(_ function: String) {
        tell(
            state.withLock { state in
                state.ledger.giveBack(function)
                return state.takeRefused()
            }
        )
    }

    /// All of them: whoever finds nothing left asks to be told again.
    private func tell(_ refused: [@Sendable () -> Void]) {
        for again in refused { again() }
    }
}

extension PoolMachine {
    /// There may be room on the host again.
    mutating func shareChanged(at now: Monotonic) -> [Action] {
        step(now) { $0.isHeld = false }
    }
}

/// One pool's part.
final class PoolShare: FunctionShare {
    private let shares: InFlightShares
    private let function: String
    fileprivate let again: @Sendable () -> Void

    init(_ shares: InFlightShares, _ function: String, again: @escaping @Sendable () -> Void) {
        self.shares = shares
        self.function = function
        self.again = again
    }

    func take() -> Bool { shares.take(function, self) }
    func giveBack() { shares.giveBack(function) }
}
