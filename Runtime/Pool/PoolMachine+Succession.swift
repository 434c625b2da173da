import FunctionCore
import Invocations

/// How one pool takes another's place: the new one brings workers up before anything arrives, the old one
/// ends what it has.
extension PoolMachine {
    /// Brings up workers until `count` live, and no more than the function may have.
    package mutating func warm(_ count: Int, at now: Monotonic) -> [Action] {
        step(now) { machine in
            machine.warming = min(count, machine.scale.max)
        }
    }

    /// Another pool takes what arrives from now on: what waits here is still served, and workers leave as
    /// soon as nothing waits for them.
    package mutating func supersede(at now: Monotonic) -> [Action] {
        step(now) { machine in
            machine.scale.min = 0
            machine.scale.idle = .zero
            machine.wanted = 0
            machine.kept = 0
            // The clients are the other pool's.
            machine.leases = LeaseTable(target: nil)
            machine.enforceTimes(now)
        }
    }

    /// Workers that can take invocations.
    package var servingCount: Int {
        var count = 0
        workers.forEach { if $1.phase == .serving { count += 1 } }
        return count
    }
}
