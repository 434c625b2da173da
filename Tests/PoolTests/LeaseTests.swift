import FunctionCore
import Invocations
import Testing

@testable import WorkerPool

@Suite("connected clients of a pool", .timeLimit(.minutes(1)))
struct LeaseTests {
    private static func manifest(perWorker: Int = 4, max: Int = 3) -> Manifest {
        var manifest = Manifest(name: "chat")
        manifest.limits.perWorker = perWorker
        manifest.scale.max = max
        manifest.scale.idle = .seconds(10)
        return manifest
    }

    private let now = Monotonic(nanoseconds: 1_000_000_000_000)

    /// The workers to which actions send something.
    private func sends(_ actions: [PoolMachine.Action]) -> [Int] {
        actions.compactMap { action in
            if case .send(_, let worker, _) = action { worker } else { nil }
        }
    }

    private func retired(_ actions: [PoolMachine.Action]) -> [Int] {
        actions.compactMap { action in
            if case .retire(let worker) = action { worker } else { nil }
        }
    }

    /// A machine with that many idle workers.
    private func machine(_ manifest: Manifest, workers: Int) -> PoolMachine {
        var machine = PoolMachine(manifest)
        _ = machine.warm(workers, at: now)
        for id in 1...workers { _ = machine.becameReady(id, at: now) }
        return machine
    }

    @Test("a client's events go to one worker, and to another only while that one has no room")
    func affinity() {
        var machine = machine(LeaseTests.manifest(perWorker: 2), workers: 3)
        _ = machine.leaseTaken(1, at: now)
        let holder = machine.leases.holder(of: 1) ?? 0
        for key in 1...20 as ClosedRange<UInt32> {
            // Others' events make another worker the one used last.
            _ = machine.arrived(100 + key, timeout: nil, at: now)
            #expect(sends(machine.arrived(key, timeout: nil, lease: 1, at: now)) == [holder])
            _ = machine.finished(100 + key, at: now)
            _ = machine.finished(key, at: now)
        }
        for key in 50...51 as ClosedRange<UInt32> {
            #expect(sends(machine.arrived(key, timeout: nil, lease: 1, at: now)) == [holder])
        }
        let elsewhere = sends(machine.arrived(52, timeout: nil, lease: 1, at: now))
        #expect(elsewhere.count == 1 && elsewhere != [holder])
        #expect(machine.leases.holder(of: 1) == holder)
    }

    @Test("a worker with a client does not leave for being idle, and is so from its last one's end on")
    func retirement() {
        var machine = machine(LeaseTests.manifest(), workers: 2)
        _ = machine.leaseTaken(7, at: now)
        let holder = machine.leases.holder(of: 7) ?? 0
        #expect(machine.connectionCount == 1)
        var later = now + .seconds(10)
        #expect(retired(machine.ticked(at: later)) == [3 - holder])
        later = later + .seconds(1000)
        #expect(retired(machine.ticked(at: later)).isEmpty)
        _ = machine.exited(3 - holder, reason: "", begun: [], at: later)
        #expect(machine.alarm.map { $0 > later } ?? true, "it looks at a worker again and again")
        _ = machine.leaseReturned(7, at: later)
        #expect(retired(machine.ticked(at: later + .seconds(9))).isEmpty)
        #expect(retired(machine.ticked(at: later + .seconds(10))) == [holder])
        #expect(machine.connectionCount == 0)
    }

    @Test("when a worker dies its clients are another's, and an event that it had not begun goes there")
    func death() {
        var machine = machine(LeaseTests.manifest(), workers: 2)
        for lease in 1...3 as ClosedRange<UInt32> { _ = machine.leaseTaken(lease, at: now) }
        let holder = machine.leases.holder(of: 1) ?? 0
        _ = machine.arrived(1, timeout: nil, lease: 1, at: now)
        let actions = machine.exited(holder, reason: "", begun: [], at: now)
        #expect(sends(actions) == [3 - holder])
        #expect(machine.leases.count(on: 3 - holder) == 3)
        #expect(machine.running[1]?.lease == 1)
    }

    @Test("while the host stops, a client's last event is still served, and its worker leaves behind it")
    func stopping() {
        var machine = machine(LeaseTests.manifest(), workers: 2)
        _ = machine.leaseTaken(1, at: now)
        let holder = machine.leases.holder(of: 1) ?? 0
        #expect(retired(machine.drain(at: now)) == [3 - holder])
        #expect(sends(machine.arrived(1, timeout: nil, at: now)).isEmpty)
        #expect(sends(machine.arrived(2, timeout: nil, lease: 1, at: now)) == [holder])
        #expect(retired(machine.finished(2, at: now)).isEmpty)
        #expect(retired(machine.leaseReturned(1, at: now)) == [holder])
        #expect(sends(machine.arrived(3, timeout: nil, lease: 1, at: now)).isEmpty)
    }

    @Test("a pool that is superseded keeps no client, and its workers leave")
    func succession() {
        var machine = machine(LeaseTests.manifest(), workers: 1)
        _ = machine.leaseTaken(1, at: now)
        #expect(retired(machine.supersede(at: now)) == [1])
        #expect(machine.connectionCount == 0)
    }

    @Test("a stream that is open is a connected user; a client's own reply is not another")
    func streams() {
        var machine = machine(LeaseTests.manifest(), workers: 1)
        _ = machine.leaseTaken(1, at: now)
        _ = machine.arrived(1, timeout: nil, lease: 1, at: now)
        _ = machine.arrived(2, timeout: nil, at: now)
        for key in 1...2 as ClosedRange<UInt32> { machine.replied(key, at: now) }
        #expect(machine.connectionCount == 2)
        _ = machine.finished(2, at: now)
        #expect(machine.connectionCount == 1)
    }
}
