import FunctionCore
import Synchronization
import Testing

@testable import Providers

@Suite(.timeLimit(.minutes(1)))
struct FailureTests {
    private func classified(_ status: Int, _ error: String, _ headers: [Header] = []) -> ProviderFailure {
        ProviderFailure(
            status: status,
            headers: headers,
            body: Bytes("{\"error\":{\(error)}}"),
            secret: "sk-123"
        )
    }

    @Test("every status has one meaning")
    func statuses() {
        let table: [(Int, String, String, Bool)] = [
            (429, #""code":"rate_limit_exceeded""#, "provider_rate_limited", true),
            (429, #""code":"insufficient_quota""#, "provider_refused", false),
            (402, "", "provider_refused", false),
            (401, #""message":"Incorrect API key: sk-123""#, "provider_refused", false),
            (403, "", "provider_refused", false),
            (404, #""code":"model_not_found""#, "provider_refused", false),
            (400, #""code":"content_policy_violation""#, "content_policy", false),
            (400, #""message":"bad""#, "provider_refused", false),
            (408, "", "provider_unavailable", true),
            (500, "", "provider_unavailable", true),
            (503, "", "provider_unavailable", true),
        ]
        for (status, body, code, transient) in table {
            let failure = classified(status, body)
            #expect(failure.error.code == code, "\(status) \(body)")
            #expect(failure.isTransient == transient, "\(status) \(body)")
            #expect(!failure.error.message.contains("sk-123"))
        }
        #expect(classified(400, #""message":"key sk-123 is odd""#).error.message.contains("key … is odd"))
        #expect(classified(500, "", [Header("x-should-retry", "false")]).isTransient == false)
    }

    @Test("the wait follows the provider up to a cap, and otherwise doubles")
    func waits() {
        let rule = RetryRule()
        func wait(_ failure: ProviderFailure, _ attempt: Int, _ left: Duration = .seconds(60)) -> Duration? {
            rule.wait(failure, attempt: attempt, remaining: left, spread: 0)
        }
        let plain = classified(500, "")
        #expect(wait(plain, 0) == .milliseconds(500))
        #expect(wait(plain, 1) == .seconds(1))
        #expect(wait(plain, 2) == nil)
        #expect(wait(plain, 0, .milliseconds(400)) == nil)
        #expect(rule.wait(plain, attempt: 0, remaining: .seconds(9), spread: 1) == .milliseconds(375))
        #expect(wait(classified(429, "", [Header("retry-after", "2.5")]), 0) == .milliseconds(2500))
        #expect(wait(classified(429, "", [Header("retry-after-ms", "40")]), 0) == .milliseconds(40))
        #expect(wait(classified(429, "", [Header("Retry-After", "60")]), 0) == nil)
        #expect(classified(429, "", [Header("Retry-After", "60")]).error.retry == .after(.seconds(60)))
    }
}
