import FunctionCore

/// Who holds what of the host, who waits for what, and who is asked to make room.
///
/// A value: facts in, actions out. What a worker needs is promised to it before it is started and is free again
/// when its process is gone, so that the sum of all promises never passes what there is. Those that wait are
/// served in the order in which they came, work before forecast: nobody takes of a resource that one before him
/// lacks, so that a big need is not starved by small ones.
///
/// A holder:   waiting ──room──▶ holding ──its process is gone──▶ unknown
///                └──withdrawn──▶ unknown
///
/// Bound: a pool asks for its `scale.max` workers at most, so the queue is no longer than their sum.
package struct CapacityLedger: Sendable {
    /// A worker of a function's pool; after a reload a function has two pools for a while.
    package struct Holder: Sendable, Hashable, Comparable {
        package var function: String
        package var pool: Int
        package var worker: Int

        package init(_ function: String, pool: Int, worker: Int) {
            self.function = function
            self.pool = pool
            self.worker = worker
        }

        package static func < (left: Holder, right: Holder) -> Bool {
            (left.pool, left.worker) < (right.pool, right.worker)
        }
    }

    /// What is to be done.
    package enum Action: Sendable, Equatable {
        /// The worker may be started.
        case grant(Holder)
        /// A pool is asked which of its workers it could spare.
        case ask(Int)
        /// A worker is asked to leave: it is the one that has been idle longest.
        case evict(Holder)

        /// The pool that is to do it, or whose worker it is about.
        package var pool: Int {
            switch self {
            case .grant(let holder), .evict(let holder): holder.pool
            case .ask(let pool): pool
            }
        }
    }

    package struct Wait: Sendable, Equatable {
        package var holder: Holder
        package var need: Amounts
        /// Whether somebody waits for the worker, or only a forecast.
        package var urgent: Bool
        package var since: Monotonic
    }

    package let total: Amounts
    package private(set) var free: Amounts
    package private(set) var held: [Holder: Amounts] = [:]
    package private(set) var waiting: [Wait] = []
    /// Asked to leave, and not gone yet.
    private var leaving: Set<Holder> = []
    /// Workers that could be spared, and since when they have been idle.
    private var offers: [Holder: Monotonic] = [:]
    /// Pools that were asked since somebody waits, and those that have not answered.
    private var asked: Set<Int> = []
    private var unheard: Set<Int> = []
    private var actions: [Action] = []

    package init(total: Amounts) {
        self.total = total
        free = total
    }

    // MARK: Facts

    /// A pool wants to start a worker; asked again, it can only become urgent.
    package mutating func requested(
        _ holder: Holder,
        _ need: Amounts,
        urgent: Bool,
        at now: Monotonic
    ) -> [Action] {
        step { ledger in
            guard ledger.held[holder] == nil else { return }
            if let index = ledger.waiting.firstIndex(where: { $0.holder == holder }) {
                ledger.waiting[index].urgent = ledger.waiting[index].urgent || urgent
            } else {
                ledger.waiting.append(Wait(holder: holder, need: need, urgent: urgent, since: now))
            }
        }
    }

    /// A worker is gone, or its pool no longer wants it.
    package mutating func released(_ holder: Holder) -> [Action] {
        step { ledger in
            if let need = ledger.held.removeValue(forKey: holder) { ledger.free.add(need) }
            ledger.waiting.removeAll { $0.holder == holder }
            ledger.leaving.remove(holder)
            ledger.offers[holder] = nil
        }
    }

    /// A pool tells which of its workers it could spare now, and since when each has been idle.
    package mutating func offered(_ pool: Int, _ spare: [Int: Monotonic]) -> [Action] {
        step { ledger in
            ledger.offers = ledger.offers.filter { $0.key.pool != pool }
            for holder in ledger.held.keys where holder.pool == pool && !ledger.leaving.contains(holder) {
                ledger.offers[holder] = spare[holder.worker]
            }
            ledger.unheard.remove(pool)
        }
    }

    /// A worker that was asked to leave is at work again and stays.
    package mutating func kept(_ holder: Holder) -> [Action] {
        step { ledger in
            ledger.leaving.remove(holder)
            ledger.offers[holder] = nil
        }
    }

    /// Whether somebody waits for whom others are asked to make room.
    package var isPressed: Bool { waiting.contains { $0.urgent } }

    /// What keeps a holder waiting; empty where it does not wait.
    package func lacking(_ holder: Holder) -> Amounts {
        guard let wait = waiting.first(where: { $0.holder == holder }) else { return [:] }
        let lacking = free.lacking(wait.need)
        // With room for it, it waits for its turn behind somebody who lacks the same.
        return lacking.isEmpty ? wait.need : lacking
    }

    // MARK: Decisions

    private mutating func step(_ fact: (inout CapacityLedger) -> Void) -> [Action] {
        actions.removeAll(keepingCapacity: true)
        fact(&self)
        grant()
        makeRoom()
        return actions
    }

    private mutating func grant() {
        var blocked: Set<Resource> = []
        var granted: Set<Holder> = []
        for wait in waiting.filter(\.urgent) + waiting.filter({ !$0.urgent }) {
            let lacking = free.lacking(wait.need)
            if lacking.isEmpty, blocked.isDisjoint(with: wait.need.keys) {
                free.take(wait.need)
                held[wait.holder] = wait.need
                granted.insert(wait.holder)
                actions.append(.grant(wait.holder))
            } else {
                blocked.formUnion(lacking.keys)
            }
        }
        if !granted.isEmpty { waiting.removeAll { granted.contains($0.holder) } }
    }

    /// Finds workers that could leave for those who wait: first all who hold what is lacking are asked, then
    /// those idle longest go.
    private mutating func makeRoom() {
        guard isPressed else {
            asked = []
            unheard = []
            offers = [:]
            return
        }
        var coming = free
        for holder in leaving { coming.add(held[holder] ?? [:]) }
        for wait in waiting where wait.urgent {
            var lacking = coming.lacking(wait.need)
            ask(lacking)
            if unheard.isEmpty {
                for holder in candidates(for: wait.holder.pool) where !lacking.isEmpty {
                    guard let has = held[holder], !Set(has.keys).isDisjoint(with: lacking.keys) else {
                        continue
                    }
                    leaving.insert(holder)
                    offers[holder] = nil
                    actions.append(.evict(holder))
                    coming.add(has)
                    lacking = coming.lacking(wait.need)
                }
            }
            // What is there or will be is his; the next must find room of its own.
            coming.take(wait.need)
        }
    }

    private mutating func ask(_ lacking: Amounts) {
        guard !lacking.isEmpty else { return }
        for (holder, has) in held.sorted(by: { $0.key < $1.key })
        where !Set(has.keys).isDisjoint(with: lacking.keys) && asked.insert(holder.pool).inserted {
            unheard.insert(holder.pool)
            actions.append(.ask(holder.pool))
        }
    }

    /// Who could leave for a pool: of the others, who has been idle longest first.
    private func candidates(for pool: Int) -> [Holder] {
        offers.filter { $0.key.pool != pool }
            .sorted { ($0.value, $0.key) < ($1.value, $1.key) }
            .map(\.key)
    }
}
