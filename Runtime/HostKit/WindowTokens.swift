import FunctionCore
import Synchronization

/// The fencing tokens in force, as side effects are checked against them. Threading: any.
package final class WindowTokens: Sendable {
    private struct Held {
        var window: String
        var token: UInt64
        var until: Instant
    }

    private let rotationOf: [String: String]
    private let held = Mutex<[String: Held]>([:])
    private let clock: VirtualClock

    /// - Parameter rotationOf: the rotation of each windowed function
    package init(rotationOf: [String: String], clock: VirtualClock) {
        self.rotationOf = rotationOf
        self.clock = clock
    }

    func grant(_ rotation: String, _ window: String, _ token: UInt64, until: Instant) {
        held.withLock { $0[rotation] = Held(window: window, token: token, until: until) }
    }

    func revoke(_ rotation: String, _ token: UInt64) {
        held.withLock { held in
            if held[rotation]?.token == token { held[rotation] = nil }
        }
    }

    /// Whether a side effect of `function` under `token` is allowed now.
    package func isCurrent(_ function: String, _ token: UInt64) -> Bool {
        guard let rotation = rotationOf[function] else { return false }
        let now = clock.now
        return held.withLock { held in
            guard let grant = held[rotation] else { return false }
            return grant.token == token && now < grant.until
        }
    }

    /// The token that a function of an open window runs under; nil where its window is closed or it belongs to none.
    package func token(of function: String, window: (String, String)?) -> UInt64? {
        guard let window else { return nil }
        return held.withLock { held in
            guard let grant = held[window.0], grant.window == window.1 else { return nil }
            return grant.token
        }
    }
}
