import FunctionCore
import NIOCore
import Scaling
import Synchronization

/// The host's one capacity ledger, asked by the pools of all loops.
///
/// Under a lock instead of on a loop of its own: a pool hears within its own turn whether its worker may start,
/// so a cold start waits for no other loop. The lock is held for one fact, and facts come as often as workers
/// do, not as often as invocations.
///
/// Threading: any. Grants and requests for room reach a pool on its own loop.
package final class HostCapacity: Sendable {
    private struct Member {
        weak var pool: FunctionPool?
    }

    private struct State {
        var ledger: CapacityLedger
        var members: [Int: Member] = [:]
        var next = 1
    }

    /// What a host's workers hold, and who waits.
    package struct Standing: Sendable {
        package var total: Amounts
        package var free: Amounts
        package var held: [CapacityLedger.Holder: Amounts]
        package var waiting: [Wait]
    }

    /// A worker that waits, and what is lacking for it.
    package struct Wait: Sendable {
        package var function: String
        package var need: Amounts
        package var lacking: Amounts
        package var waited: Duration
        /// Whether an invocation waits for it, or only a forecast.
        package var urgent: Bool
    }

    package let profile: HostProfile
    private let state: Mutex<State>
    private let pressed = Atomic<Bool>(false)

    package init(_ profile: HostProfile) {
        self.profile = profile
        state = Mutex(State(ledger: CapacityLedger(total: profile.amounts)))
    }

    /// How the ledger stands.
    package var standing: Standing {
        let now = Monotonic.now
        return state.withLock { state in
            Standing(
                total: state.ledger.total,
                free: state.ledger.free,
                held: state.ledger.held,
                waiting: state.ledger.waiting.map {
                    Wait(
                        function: $0.holder.function,
                        need: $0.need,
                        lacking: state.ledger.lacking($0.holder),
                        waited: now - $0.since,
                        urgent: $0.urgent
                    )
                }
            )
        }
    }

    /// Whether somebody waits for room, so that idle workers are worth telling of.
    var isPressed: Bool { pressed.load(ordering: .relaxed) }

    /// Takes a pool in, for as long as it lives; the number names its holders.
    func join(_ pool: FunctionPool) -> Int {
        state.withLock { state in
            state.members = state.members.filter { $0.value.pool != nil }
            state.members[state.next] = Member(pool: pool)
            state.next += 1
            return state.next - 1
        }
    }

    /// Asks for what a worker needs; true where it may start at once, else the pool hears of it.
    func request(_ holder: CapacityLedger.Holder, _ need: Amounts, urgent: Bool) -> Bool {
        tell(sparing: holder) { $0.requested(holder, need, urgent: urgent, at: .now) }
    }

    func release(_ holder: CapacityLedger.Holder) { _ = tell { $0.released(holder) } }

    func offer(_ pool: Int, _ spare: [Int: Monotonic]) { _ = tell { $0.offered(pool, spare) } }

    func keep(_ holder: CapacityLedger.Holder) { _ = tell { $0.kept(holder) } }

    func lacking(_ holder: CapacityLedger.Holder) -> Amounts { state.withLock { $0.ledger.lacking(holder) } }

    /// Tells the ledger a fact and carries out what follows; true where `own` was granted, which its pool is
    /// told by the answer alone.
    private func tell(
        sparing own: CapacityLedger.Holder? = nil,
        _ fact: (inout CapacityLedger) -> [CapacityLedger.Action]
    ) -> Bool {
        let due = state.withLock { state in
            let actions = fact(&state.ledger)
            pressed.store(state.ledger.isPressed, ordering: .relaxed)
            return actions.map { ($0, state.members[$0.pool]?.pool) }
        }
        var granted = false
        for (action, pool) in due {
            switch action {
            case .grant(let holder) where holder == own: granted = true
            case .grant(let holder): pool?.loop.execute { pool?.roomGranted(holder.worker) }
            case .ask: pool?.loop.execute { pool?.offerRoom() }
            case .evict(let holder): pool?.loop.execute { pool?.makeRoom(holder.worker) }
            }
        }
        return granted
    }
}
