import FunctionCore
import NIOCore
import Scheduling
import Storage

/// Sees that the rules of a zone have changed on disk while schedules still follow the old ones.
package struct TimeZoneWatch: Sendable {
    private let loop: any EventLoop
    private let inForce: @Sendable () -> [String: TimeZoneRules]

    init(loop: any EventLoop, inForce: @escaping @Sendable () -> [String: TimeZoneRules]) {
        self.loop = loop
        self.inForce = inForce
    }

    /// Runs until the task is cancelled; tells the zones that are others now, each change once: where it is refused,
    /// as another file is faulty, whoever mends that reloads.
    func run(_ changed: ([String]) async -> Void) async {
        var database = TimeZoneDatabase()
        var told: [String: TimeZoneRules] = [:]
        let wake = WakeSignal()
        let timer = Timer(loop: loop) { wake.wake() }
        timer.set(TimeZoneDatabase.recheck)
        for await _ in wake.wakes() {
            let stale = TimeZoneWatch.stale(inForce(), &database, &told, now: .now)
            if !stale.isEmpty { await changed(stale) }
            timer.set(TimeZoneDatabase.recheck)
        }
        timer.cancel()
    }

    /// The zones whose rules are others on disk than in force and than was told; one that cannot be read stays as it
    /// is.
    package static func stale(
        _ inForce: [String: TimeZoneRules],
        _ database: inout TimeZoneDatabase,
        _ told: inout [String: TimeZoneRules],
        now: Monotonic
    ) -> [String] {
        inForce.keys.sorted().filter { name in
            guard let rules = try? database.zone(name, now: now), rules != inForce[name] else {
                told[name] = nil
                return false
            }
            defer { told[name] = rules }
            return rules != told[name]
        }
    }
}
