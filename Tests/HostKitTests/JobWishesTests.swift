import FunctionCore
import HostKit
import Journal
import Testing

@Suite("What a request says of its job", .timeLimit(.minutes(1)))
struct JobWishesTests {
    private let now = Instant(seconds: 1_795_802_400)

    private func wishes(_ fields: [String: String]) throws -> JobWishes {
        try JobWishes.headers(fields.map { Header($0.key, $0.value) }, now: now)
    }

    @Test("all fields are understood")
    func all() throws {
        let all = try wishes([
            "Job-Delay": "30s", "Job-Priority": "9", "Job-Key": "user-7", "Job-Unique": "report",
            "Job-Unique-For": "1h", "Job-Expires-In": "5m",
        ])
        #expect(all.runAt == now + .seconds(30) && all.priority == 9 && all.key == "user-7")
        #expect(all.unique == UniqueWish(key: "report", period: .seconds(3600)))
        // From when it may run, not from now.
        #expect(all.expires == now + .seconds(330))
        #expect(try wishes(["job-run-at": "2026-11-27T18:00:01Z"]).runAt == now + .seconds(1))
        #expect(try wishes(["x-other": "1"]) == JobWishes())
    }

    @Test(
        "what cannot be is refused by the name of its field",
        arguments: [
            ("job-delay", "soon"), ("job-run-at", "tomorrow"), ("job-priority", "10"), ("job-priority", "-1"),
            ("job-key", ""), ("job-unique-for", "1h"), ("job-expires-in", "0.5h"),
        ]
    )
    func faults(_ name: String, _ value: String) {
        let error = #expect(throws: FunctionError.self) { try wishes([name: value]) }
        #expect(error?.status == 422 && error?.faults.map(\.path) == [name], "\(error?.message ?? "")")
    }

    @Test("all faults are told at once, and a delay beside an instant is one")
    func several() {
        let error = #expect(throws: FunctionError.self) {
            try wishes(["job-delay": "1s", "job-run-at": "2026-11-27T18:00:01Z", "job-priority": "x"])
        }
        #expect(error?.faults.map(\.path).sorted() == ["job-delay", "job-priority"])
    }

    @Test("the admin API takes the same in a query")
    func query() throws {
        let found = try JobWishes.query(
            ["run_at": "2026-11-27T18:00:01Z", "key": "", "async": "1"],
            now: now
        )
        #expect(found.runAt == now + .seconds(1) && found.key == nil)
        let error = #expect(throws: FunctionError.self) {
            try JobWishes.query(["expires_in": "x"], now: now)
        }
        #expect(error?.faults.map(\.path) == ["expires_in"])
    }
}
