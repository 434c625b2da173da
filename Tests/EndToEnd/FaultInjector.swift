import FunctionCore
import Glibc
import Seeds
import TestSupport

/// Kills, stops, fills and steps at random, one fault after the other, until the producers are done; after each
/// the audit must balance.
struct FaultInjector {
    private let world: FaultWorld
    private var random: SeededRandom

    init(_ world: FaultWorld, seed: UInt64) {
        self.world = world
        random = SeededRandom(seed)
    }

    mutating func run() async throws {
        var order: [Kind] = []
        while !world.isOver {
            try await pause(50...400)
            // Each kind in turn, in an order of its own each time: a short run has seen them all.
            if order.isEmpty { order = Kind.allCases.shuffled(using: &random) }
            let kind = order.removeLast()
            var fault = Fault(kind: kind.rawValue, begin: .now, end: .now)
            guard try await inject(kind, &fault) else { continue }
            fault.end = .now
            world.note(fault)
            try await balance(after: kind)
        }
    }

    enum Kind: String, CaseIterable {
        case killWorker, killWorkers, stopWorker, killHost, stopHost, killRedis, stopRedis, killBoth,
            fillDisk, fillAndKill, stepClock
    }

    /// False where there is nothing that it could strike.
    private mutating func inject(_ kind: Kind, _ fault: inout Fault) async throws -> Bool {
        switch kind {
        case .killWorker, .stopWorker, .killWorkers: return try await strikeWorkers(kind, &fault)
        case .killHost:
            try await killHost(&fault)
            try await pause(0...300)
            try await world.host.start()
        case .stopHost:
            guard let host = world.host.pid else { return false }
            Glibc.kill(host, SIGSTOP)
            try await pause(100...1200)
            Glibc.kill(host, SIGCONT)
        case .killRedis:
            await world.redis.kill()
            try await pause(0...500)
            try await world.redis.start()
        case .stopRedis:
            world.redis.pause()
            try await pause(100...1200)
            world.redis.resume()
        case .killBoth:
            try await killHost(&fault)
            await world.redis.kill()
            let hostFirst = Bool.random(using: &random)
            if hostFirst { try await world.host.start() }
            try await pause(0...300)
            try await world.redis.start()
            if !hostFirst { try await world.host.start() }
        case .fillDisk, .fillAndKill:
            guard world.host.hasDisk else { return false }
            world.host.fillDisk()
            try await pause(0...600)
            if kind == .fillAndKill { try await killHost(&fault) }
            world.host.emptyDisk()
            if kind == .fillAndKill { try await world.host.start() }
        case .stepClock:
            let seconds = Int.random(in: -1800...1800, using: &random)
            try await world.host.clock(["advance": .integer(Int64(seconds))])
            world.clockMoved(by: seconds)
        }
        return true
    }

    private mutating func strikeWorkers(_ kind: Kind, _ fault: inout Fault) async throws -> Bool {
        let workers = workers()
        guard let one = workers.randomElement(using: &random) else { return false }
        if kind == .stopWorker {
            Glibc.kill(one, SIGSTOP)
            try await pause(100...800)
            Glibc.kill(one, SIGCONT)
        } else {
            try await kill(kind == .killWorker ? [one] : workers, &fault)
        }
        return true
    }

    /// Stops them first: what Redis holds then for the host is all that may come again.
    private func kill(_ workers: [pid_t], _ fault: inout Fault) async throws {
        for worker in workers { Glibc.kill(worker, SIGSTOP) }
        fault.killed = Set(workers.map { Int($0) })
        fault.open = try await world.open()
        for worker in workers { Glibc.kill(worker, SIGKILL) }
    }

    private func killHost(_ fault: inout Fault) async throws {
        try await world.host.kill()
        world.clockIsReal()
        fault.killed = nil
        fault.open = try await world.open()
    }

    /// The audit must say that all adds up; what it cannot know while the host finds its Redis again, it is
    /// given ten seconds for.
    private func balance(after kind: Kind) async throws {
        let end = Monotonic.now + .seconds(10)
        while true {
            let problems = try await world.audit().flatMap { $0["problems"]?.arrayValue ?? [] }.map(\.text)
            let isAway = problems.contains { $0.contains("Redis cannot be asked") }
            guard isAway, Monotonic.now < end else {
                for problem in problems { world.complain("after \(kind.rawValue): \(problem)") }
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// The host's workers and their template, which run its copy of the bundle.
    private func workers() -> [pid_t] {
        guard let host = world.host.pid else { return [] }
        let children = Text.children(of: host).filter { Text.read("/proc/\($0)/comm") == "functions\n" }
        return children + children.flatMap { Text.children(of: $0) }
    }

    private mutating func pause(_ range: ClosedRange<Int>) async throws {
        try await Task.sleep(for: .milliseconds(Int.random(in: range, using: &random)))
    }
}
