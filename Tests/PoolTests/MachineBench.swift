import FunctionCore
import Invocations

@testable import WorkerPool

/// A machine with a clock of its own and a record of what it decided, for tests by table.
struct MachineBench {
    var machine: PoolMachine
    var now = Monotonic(nanoseconds: 1_000_000_000_000)
    /// All that was decided since the last look.
    private(set) var actions: [PoolMachine.Action] = []

    init(asksForCapacity: Bool = false, _ change: (inout Manifest) -> Void = { _ in }) {
        var manifest = Manifest(name: "test")
        manifest.limits.timeout = .seconds(10)
        manifest.limits.grace = .seconds(2)
        change(&manifest)
        machine = PoolMachine(manifest, asksForCapacity: asksForCapacity)
    }

    /// What was decided since the last look; forgets it.
    mutating func taken() -> [PoolMachine.Action] {
        defer { actions = [] }
        return actions
    }

    mutating func start() { actions += machine.started(at: now) }
    mutating func arrive(_ key: UInt32, timeout: Duration? = nil) {
        actions += machine.arrived(key, timeout: timeout, at: now)
    }
    mutating func ready(_ worker: Int, serial: Bool = false) {
        actions += machine.becameReady(worker, serial: serial, at: now)
    }
    /// The shell has taken back what it was told to, all of it.
    mutating func withdraw(_ keys: [(key: UInt32, newKey: UInt32)]) {
        actions += machine.withdrawn(keys, at: now)
    }
    mutating func reply(_ key: UInt32) { machine.replied(key, at: now) }
    mutating func finish(_ key: UInt32, served: Bool = true) {
        actions += machine.finished(key, served: served, at: now)
    }
    mutating func cancel(_ key: UInt32) { actions += machine.cancelled(key, at: now) }
    mutating func exit(_ worker: Int, begun: Set<UInt32> = [], _ reason: String = "signal 4") {
        actions += machine.exited(worker, reason: reason, begun: begun, at: now)
    }
    mutating func warm(_ count: Int) { actions += machine.warm(count, at: now) }
    mutating func supersede() { actions += machine.supersede(at: now) }
    mutating func keep(_ count: Int) { actions += machine.keep(count, at: now) }
    mutating func rest() { actions += machine.rest(at: now) }
    mutating func scale(to wanted: Int) { actions += machine.scaled(to: wanted, at: now) }
    mutating func grant(_ worker: Int) { actions += machine.granted(worker, at: now) }
    mutating func evict(_ worker: Int) { actions += machine.evicted(worker, at: now) }
    mutating func drain() { actions += machine.drain(at: now) }
    /// The host has told that there may be room.
    mutating func look() { actions += machine.shareChanged(at: now) }
    mutating func abandon() { actions += machine.abandon(at: now) }

    /// Lets time pass, with a tick at every moment the machine asks for.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let next = machine.nextTick, next <= end {
            now = max(now, next)
            let before = machine.nextTick
            actions += machine.ticked(at: now)
            // A machine that asks for the same past moment again would spin.
            if machine.nextTick == before, next <= now { break }
        }
        now = end
        actions += machine.ticked(at: now)
    }

    /// Brings one worker up for an invocation that runs on it.
    mutating func serve(_ key: UInt32, on worker: Int = 1) {
        arrive(key)
        ready(worker)
        actions = []
    }
}
