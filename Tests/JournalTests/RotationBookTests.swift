import FunctionCore
import Journal
import RedisTrigger
import TestSupport
import Testing

@Suite("How rotations stand", .timeLimit(.minutes(2)))
struct RotationBookTests {
    private let granted = RotationRow(
        kind: "granted",
        window: "trading",
        token: 1,
        at: at(100),
        opens: at(90),
        hardStop: at(200),
        reason: "planned"
    )
    private var ended: RotationRow {
        var row = granted
        (row.kind, row.at, row.reason) = ("ended", at(150), nil)
        return row
    }

    @Test(
        "a state is replaced together with the step that led to it, and both survive a restart",
        arguments: Engine.allCases
    )
    func kept(engine: Engine) async throws {
        try await withPlace(engine) { place in
            let journal = try await place.open()
            let steps = [("market", "one", granted), ("other", "x", granted), ("market", "two", ended)]
            for (rotation, state, row) in steps {
                guard case .mine = try await journal.rotations.hold(rotation) else {
                    Issue.record("\(rotation) is held elsewhere")
                    continue
                }
                #expect(try await journal.rotations.record(rotation, state, row))
            }
            await journal.close()
            let again = try await place.open()
            #expect(try await again.rotations.hold("market") == .mine(isNew: false))
            #expect(try await again.rotations.state(of: "market") == "two")
            #expect(try await again.rotations.state(of: "third") == nil)
            #expect(try await again.rotations.rows(of: "market") == [granted, ended])
            #expect(try await again.rotations.rows(of: "market", limit: 1) == [ended])
            await again.close()
        }
    }

    @Test("of two hosts one holds a rotation and writes; the other takes it when the lease is over")
    func oneHolds() async throws {
        try await RedisServer.run { server in
            try await withClient(server) { first in
                try await withClient(server) { second in
                    let places = [Workspace(), Workspace()]
                    let one = try await HostJournal.open(directory: places[0].path, redis: first)
                    let two = try await HostJournal.open(directory: places[1].path, redis: second)
                    #expect(try await one.rotations.hold("market") == .mine(isNew: true))
                    #expect(try await one.rotations.hold("market") == .mine(isNew: false))
                    #expect(try await two.rotations.hold("market") == .elsewhere)
                    #expect(try await one.rotations.record("market", "one", granted))
                    #expect(try await !two.rotations.record("market", "two", granted))
                    // As if the holder had not renewed it for its whole length.
                    let keys = try await first.send(["KEYS", "*rotation:lease:market"])
                    guard case .array(let found) = keys, let key = found.first?.bytes else {
                        Issue.record("there is no lease: \(keys)")
                        return
                    }
                    _ = try await first.send(["DEL", key])
                    #expect(try await two.rotations.hold("market") == .mine(isNew: true))
                    #expect(try await !one.rotations.record("market", "late", ended), "it is fenced")
                    #expect(try await two.rotations.state(of: "market") == "one")
                    await one.rotations.release("market")
                    #expect(try await one.rotations.hold("market") == .elsewhere, "it was not its to leave")
                    await two.rotations.release("market")
                    #expect(try await one.rotations.hold("market") == .mine(isNew: true))
                    await one.close()
                    await two.close()
                }
            }
        }
    }
}
