import FunctionCore
import Journal
import TestSupport
import Testing

@Suite("What hosts share of their schedules", .timeLimit(.minutes(1)))
struct SharedSchedulesTests {
    @Test("a note is heard by all; an offer counts only where nobody has said anything")
    func pauses() async throws {
        try await withTwo { one, two in
            let before = try await two.version()
            try await one.offerPause("a", "it failed")
            try await two.offerPause("a", "another note")
            #expect(try await two.pauses() == ["a": "it failed"])
            try await two.setPause("a", nil)
            try await one.offerPause("a", "it failed")
            #expect(try await one.pauses() == ["a": ""])
            #expect(try await one.version() > before)
            let after = try await one.version()
            try await one.offerPause("a", "it failed")
            #expect(try await one.version() == after, "nothing has changed")
        }
    }

    @Test("a run is counted once, whoever tells it; what a host knew before anybody counted stays")
    func runs() async throws {
        try await withTwo { one, two in
            try await one.ran("a", job: "j1")
            // The host that looks first knows of seven, of which one is told already.
            #expect(try await one.runs(of: [.init(schedule: "a", runs: 7)]) == [7])
            for host in [one, two, one] { try await host.ran("a", job: "j2") }
            #expect(try await two.runs(of: [.init(schedule: "a", runs: 1)]) == [8])
            #expect(try await two.runs(of: []) == [])
            #expect(one.account != two.account)
        }
    }

    private func withTwo(_ body: (SharedSchedules, SharedSchedules) async throws -> Void) async throws {
        try await RedisServer.run { server in
            try await withClient(server) { first in
                try await withClient(server) { second in
                    let places = [Workspace(), Workspace()]
                    let one = try await HostJournal.open(directory: places[0].path, redis: first)
                    let two = try await HostJournal.open(directory: places[1].path, redis: second)
                    try await body(
                        #require(one.sharedSchedules),
                        #require(two.sharedSchedules)
                    )
                    await one.close()
                    await two.close()
                }
            }
        }
    }
}
