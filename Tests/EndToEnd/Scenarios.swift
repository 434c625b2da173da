import FunctionCore
import TestSupport
import Testing

/// What a person would try with real processes: the program as it is built, a real Redis, real workers, real
/// ffmpeg.
///
/// One after the other, because each looks at the clock, and two hosts on two cores would tell of each other.
@Suite("End to end", .serialized, .timeLimit(.minutes(1)))
enum Scenarios {}

/// Starts one host for all tests of a suite; they find it as `DevHost.shared`.
struct HostTrait: SuiteTrait, TestScoping {
    let options: @Sendable () throws -> DevHost.Options
    var isRecursive: Bool { false }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        try await DevHost.run(try options()) { host in
            try await DevHost.$shared.withValue(host) { try await function() }
        }
    }
}

extension Trait where Self == HostTrait {
    /// One development host for the whole suite.
    static func devHost(
        _ options: @escaping @Sendable () throws -> DevHost.Options = { .init() }
    ) -> HostTrait {
        HostTrait(options: options)
    }
}

/// The suite's host.
func sharedHost() throws -> DevHost {
    try #require(DevHost.shared, "the suite lacks the trait devHost")
}

/// The answers of a good questionnaire.
let goodAnswers: JSON = [
    "answers": [
        "hero": "Mira", "age": 9, "place": "Lisbon", "wish": "to find the lighthouse that hums at night",
    ]
]

extension DevHost {
    /// Submits a questionnaire and gives the answers' id.
    func submit(_ user: Int, _ headers: [Header] = []) async throws -> String {
        let answer = try await post("/v1/users/\(user)/questionnaires/story/answers", goodAnswers, headers)
        try #require(answer.status == 201, "\(answer.text)")
        return try #require(answer.json["id"]?.stringValue)
    }

    /// A user's scripts, films or answers.
    func list(_ what: String, of user: Int) async throws -> [JSON] {
        let path = what == "answers" ? "questionnaires/story/answers" : what
        let answer = try await get("/v1/users/\(user)/\(path)")
        try #require(answer.status == 200, "\(answer.text)")
        return answer.json[what]?.arrayValue ?? []
    }

    /// A job of the gateway's.
    func job(_ id: String) async throws -> JSON {
        try await get("/v1/jobs/\(id)").json["job"] ?? .null
    }

    /// Waits until a job has come to an end.
    func endOfJob(_ id: String, within limit: Duration = .seconds(40)) async throws -> JSON {
        try await eventually("the end of job \(id)", within: limit) {
            let job = try await self.job(id)
            let state = job["state"]?.stringValue ?? ""
            return ["completed", "failed", "cancelled", "expired"].contains(state) ? .some(job) : nil
        }
    }

    /// A script of a length, made at once; its id.
    func script(_ user: Int, seconds: Int) async throws -> String {
        let body: JSON = ["title": "A lamp", "seconds": .integer(Int64(seconds))]
        let answer = try await post("/v1/users/\(user)/scripts", body)
        try #require(answer.status == 201, "\(answer.text)")
        return try #require(answer.json["id"]?.stringValue)
    }
}
