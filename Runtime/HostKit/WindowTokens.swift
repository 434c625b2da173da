import FunctionCore
import Synchronization

/// The fencing tokens in force, as side effects are checked against them.
///
/// Threading: any.
package final class WindowTokens: Sendable {
    private struct Held {
        var token: UInt64
        var until: Instant
    }

    private let rotationOf: Mutex<[String: String]>
    private let held = Mutex<[String: Held]>([:])
    /// Until when this host holds a rotation that others could hold; without an entry for ever.
    private let holds = Mutex<[String: BootTime]>([:])
    private let clock: VirtualClock

    /// Tokens for these functions; `rotationOf` gives the rotation of each windowed one.
    package init(rotationOf: [String: String], clock: VirtualClock) {
        self.rotationOf = Mutex(rotationOf)
        self.clock = clock
    }

    /// Other functions belong to rotations from now on.
    func replace(rotationOf next: [String: String]) {
        rotationOf.withLock { $0 = next }
    }

    package func grant(_ rotation: String, _ token: UInt64, until: Instant) {
        held.withLock { $0[rotation] = Held(token: token, until: until) }
    }

    /// A window that drains may end before what its grant said.
    package func shorten(_ rotation: String, _ token: UInt64, until: Instant) {
        held.withLock { held in
            if let grant = held[rotation], grant.token == token {
                held[rotation]?.until = min(grant.until, until)
            }
        }
    }

    package func revoke(_ rotation: String, _ token: UInt64) {
        held.withLock { held in
            if held[rotation]?.token == token { held[rotation] = nil }
        }
    }

    /// Tokens of the rotation are worth nothing after that, whatever the wall clock says.
    func hold(_ rotation: String, until end: BootTime) {
        holds.withLock { $0[rotation] = end }
    }

    /// Whether a side effect of `function` under `token` is allowed now.
    package func isCurrent(_ function: String, _ token: UInt64) -> Bool {
        guard let rotation = rotationOf.withLock({ $0[function] }) else { return false }
        if let end = holds.withLock({ $0[rotation] }), BootTime.now >= end { return false }
        let now = clock.now
        return held.withLock { held in
            guard let grant = held[rotation] else { return false }
            return grant.token == token && now < grant.until
        }
    }
}
