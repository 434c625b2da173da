import FunctionCore
import Invocations

/// What one invocation takes of a serial worker's time, by experience: how far it is worth queueing ahead.
struct Pace: Sendable {
    /// No invocation is put behind more than so much work, nor stays behind one that takes longer.
    static let aheadMax = Duration.milliseconds(10)

    private var nanoseconds: Int64 = 0

    /// An invocation took that long; the last dozen or so count.
    mutating func learn(_ taken: Duration) {
        nanoseconds += (max(0, taken.nanoseconds) - nanoseconds) / 8
    }

    /// One has taken that long and is still at it.
    mutating func learn(atLeast taken: Duration) {
        nanoseconds = max(nanoseconds, taken.nanoseconds)
    }

    /// How many are in flight at once at most, from 1.
    func ahead(atMost limit: Int) -> Int {
        guard nanoseconds > 0 else { return limit }
        return max(1, min(limit, Int(Pace.aheadMax.nanoseconds / nanoseconds)))
    }
}

/// Which worker takes the next invocation.
///
/// Serial workers, whose handlers are synchronous: the one with the least in flight, so that a free worker
/// always comes before a place behind somebody. A busy one is chosen only as far as its handler is quick (see
/// `Pace`); what then finds itself behind a slow one after all is taken back and given to others.
///
/// Workers that run invocations side by side: one is filled to its target, or to half its room, before the next
/// is used, so that the others' idleness adds up and they can retire; beyond that the one with the least in flight.
///
/// Among equals the one used last, whose memory is warm.
extension PoolMachine {
    /// The chosen worker's place in `idle`; nil where none may take more.
    func chosen(at now: Monotonic) -> Int? {
        var best: (index: Int, load: Int)?
        for index in idle.indices.reversed() {
            guard let worker = workers[idle[index]] else { continue }
            let load: Int
            if worker.inFlight == 0 {
                if worker.serial { return index }
                load = fill
            } else if worker.serial {
                guard worker.inFlight < pace.ahead(atMost: limits.perWorker),
                    now - worker.moved < Pace.aheadMax
                else { continue }
                load = worker.inFlight
            } else {
                load = worker.inFlight < fill ? fill - worker.inFlight : worker.inFlight + 1
            }
            if let found = best, found.load <= load { continue }
            best = (index, load)
        }
        return best?.index
    }

    /// Whether others wait on a worker behind the one it runs, and have not been asked back.
    func isHoldingUp(_ worker: Worker) -> Bool {
        worker.serial && worker.inFlight > 1 && !worker.recalled && !draining
    }

    /// A worker has ended an invocation.
    mutating func progressed(_ run: Running, at now: Monotonic) {
        guard var worker = workers[run.worker] else { return }
        if worker.serial { pace.learn(now - max(run.started, worker.moved)) }
        worker.moved = now
        worker.recalled = false
        workers[run.worker] = worker
        if isHoldingUp(worker) { wake(by: now + Pace.aheadMax) }
    }

    /// Asks back what waits behind a slow invocation.
    mutating func recall(from id: WorkerID) {
        workers[id]?.recalled = true
        pace.learn(atLeast: Pace.aheadMax)
        actions.append(.recall(keys(on: id).filter { running[$0]?.answered == false }, id))
    }
}
