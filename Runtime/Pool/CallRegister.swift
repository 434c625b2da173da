import Wire

/// The binding calls of one pool's workers that are under way.
///
/// Lives on the pool's loop.
struct CallRegister {
    struct Call {
        let id: UInt32
        let worker: PoolMachine.WorkerID
        let invocation: UInt32
        let task: Task<Void, Never>
        let answer: CallAnswer
    }

    private struct Key: Hashable {
        let id: UInt32
        let worker: PoolMachine.WorkerID
    }

    /// How many calls one worker may have under way.
    static let perWorkerMax = 256

    private var calls: [Key: Call] = [:]
    private var counts: [PoolMachine.WorkerID: Int] = [:]

    func count(on worker: PoolMachine.WorkerID) -> Int {
        counts[worker] ?? 0
    }

    func contains(_ id: UInt32, on worker: PoolMachine.WorkerID) -> Bool {
        calls[Key(id: id, worker: worker)] != nil
    }

    mutating func begin(
        _ id: UInt32,
        on worker: PoolMachine.WorkerID,
        of invocation: UInt32,
        task: Task<Void, Never>,
        answer: CallAnswer
    ) {
        calls[Key(id: id, worker: worker)] = Call(
            id: id,
            worker: worker,
            invocation: invocation,
            task: task,
            answer: answer
        )
        counts[worker, default: 0] += 1
    }

    mutating func end(_ id: UInt32, on worker: PoolMachine.WorkerID) {
        guard calls.removeValue(forKey: Key(id: id, worker: worker)) != nil else { return }
        counts[worker, default: 1] -= 1
        if counts[worker] == 0 { counts[worker] = nil }
    }

    func grant(_ id: UInt32, on worker: PoolMachine.WorkerID, _ bytes: Int) {
        calls[Key(id: id, worker: worker)]?.answer.credit.grant(bytes)
    }

    func cancelAll(of invocation: UInt32) {
        if !calls.isEmpty { cancelAll { $0.invocation == invocation } }
    }

    /// Cancels the calls that match; each leaves the register when its task ends.
    func cancelAll(where matches: (Call) -> Bool) {
        for call in calls.values where matches(call) {
            call.answer.credit.close()
            call.task.cancel()
        }
    }
}
