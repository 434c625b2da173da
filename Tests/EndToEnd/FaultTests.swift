import FunctionCore
import Glibc
import TestSupport
import Testing

/// Everything is killed, stopped, filled and stepped at random, while producers send a known sequence.
///
/// SWIFTLET_FAULT_EVENTS says how many events (a million by hand), SWIFTLET_FAULT_SEED which faults.
@Suite("Faults at random", .serialized, .timeLimit(.minutes(300)))
struct FaultTests {
    private let count = Self.number("SWIFTLET_FAULT_EVENTS") ?? 10_000
    private let seed = UInt64(Self.number("SWIFTLET_FAULT_SEED") ?? Int.random(in: 1...999_999))

    @Test(
        "whatever is killed, stopped, filled or stepped: each accepted event has its effect, and all adds up"
    )
    func faults() async throws {
        let place = try TemporaryPlace()
        defer { place.remove() }
        say("seed \(seed), \(count) events; SWIFTLET_FAULT_SEED=\(seed) repeats the faults")
        try await FaultWorld.run(place.path, disk: (64 << 20) + count * 4096) { world in
            if !world.host.hasDisk { say("the disk is not filled: here nobody may mount a tmpfs") }
            try await grant(world)
            let begin = Monotonic.now
            do {
                try await drive(world, until: begin + .seconds(120) + .milliseconds(15 * count))
            } catch {
                Issue.record("seed \(seed): \(error)\n\(await FaultPicture(world: world).text)")
                return
            }
            let log = try await world.log()
            let problems = world.problems + FaultVerdict(log: log).problems
            #expect(problems.isEmpty, "seed \(seed): \(problems.joined(separator: "\n"))")
            let kinds = Dictionary(grouping: log.faults, by: \.kind).mapValues(\.count)
            if log.faults.count > 3 * FaultInjector.Kind.allCases.count {
                let struck = world.host.hasDisk ? kinds.count : kinds.count + 2
                #expect(struck == FaultInjector.Kind.allCases.count, "some faults never struck: \(kinds)")
            }
            let told = kinds.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            let again = log.repeated.values.reduce(0) { $0 + $1.count - 1 }
            say(
                "\(log.accepted.count) accepted, \(log.unsure.count) unsure, \(log.effects.count) effects, "
                    + "\(again) of them allowed repetitions; \(Monotonic.now - begin) with "
                    + told.joined(separator: ", ")
            )
        }
    }

    private func grant(_ world: FaultWorld) async throws {
        for user in 1...FaultSource.paid.keys {
            // Two users may share a shard, where a grant's id occurs once.
            let grant: JSON = [
                "id": .string("start-\(user)"), "credits": .integer(Int64(FaultWorld.grant)),
            ]
            let url = "\(world.host.admin)/v1/credits/\(user)/grants"
            #expect(try await HTTP.send("POST", url, grant.bytes(), [.json]).status == 200)
        }
    }

    /// Sends everything, with faults, and waits until nothing is pending anywhere.
    private func drive(_ world: FaultWorld, until deadline: Monotonic) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await Task.sleep(for: max(deadline - .now, .zero))
                throw DevHost.Failure("it is not over after its time")
            }
            group.addTask {
                var injector = FaultInjector(world, seed: seed)
                try await injector.run()
                return false
            }
            group.addTask {
                try await FaultProducers(world: world, count: count).run()
                world.finish()
                return false
            }
            for _ in 0..<2 { _ = try await group.next() }
            group.addTask {
                try await quiet(world)
                return true
            }
            _ = try await group.next()
            group.cancelAll()
        }
    }

    private func quiet(_ world: FaultWorld) async throws {
        // What was to run at an instant of a clock that was set back meanwhile.
        try await world.host.clock(["advance": .integer(Int64(world.clockBehind + 60))])
        while true {
            let entries = try await world.pendingInRedis().values.reduce(0, +)
            let jobs = try await world.audit().reduce(0) { $0 + ($1["pending"]?.intValue ?? 0) }
            if entries + jobs == 0 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// At once, so that the seed is known whatever becomes of the test.
    private func say(_ line: String) {
        let line = "faults: \(line)\n"
        _ = write(2, line, line.utf8.count)
    }

    private static func number(_ name: String) -> Int? {
        getenv(name).flatMap { Int(String(cString: $0)) }
    }
}
