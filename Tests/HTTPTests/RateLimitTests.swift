import FunctionCore
import Invocations
import NIOCore
import Testing

@testable import HTTPTrigger

@Suite(.timeLimit(.minutes(1)))
struct TokenBucketTests {
    private let rule = BucketRule(interval: 100_000, burst: 5)

    @Test("a full bucket gives its burst and not one more, then one for each interval")
    func exact() {
        var bucket = TokenBucket()
        #expect((0..<10).map { _ in bucket.take(rule, at: 1_000_000) }.count { $0 } == 5)
        #expect(bucket.standing(rule, at: 1_000_000).retryAfter == 100_000)
        #expect(bucket.standing(rule, at: 1_000_000).remaining == 0)
        let early = bucket.take(rule, at: 1_099_999)
        #expect(!early)
        let due = bucket.take(rule, at: 1_100_000)
        #expect(due)
        #expect(bucket.standing(rule, at: 1_600_000).remaining == 5)
        #expect(bucket.isFull(at: 1_600_000) && !bucket.isFull(at: 1_599_999))
    }

    @Test(
        "over any time it gives what the rate allows and a burst, never more",
        arguments: 1...20 as ClosedRange<Int>
    )
    func bounded(_ seed: Int) {
        var random = UInt64(seed)
        var bucket = TokenBucket()
        var now: Int64 = 5_000_000
        let begin = now
        var given: Int64 = 0
        for _ in 0..<5000 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            now += Int64(random >> 33) % 60_000
            if bucket.take(rule, at: now) { given += 1 }
            #expect(given <= rule.burst + (now - begin) / rule.interval)
        }
        // Asked for far more often than it gives, it gives all that it may.
        #expect(given >= (now - begin) / rule.interval)
    }
}

@Suite(.timeLimit(.minutes(1)))
struct RateBucketsTests {
    private let slow = BucketRule(interval: 60_000_000, burst: 2)
    private let quick = BucketRule(interval: 1_000_000, burst: 10)

    private func claim(_ name: String, _ rule: BucketRule) -> RateClaim {
        RateClaim(bucket: name, rule: rule)
    }

    @Test("a request takes from all of its buckets or from none")
    func allOrNone() {
        var buckets = RateBuckets(bound: 100)
        let claims = [claim("a", quick), claim("b", slow)]
        let verdicts = (0..<4).map { _ in buckets.take(claims, at: 0) }
        #expect(verdicts.map(\.isAdmitted) == [true, true, false, false])
        #expect(verdicts[3].refused == 1)
        #expect(verdicts[3].standings[0].remaining == 8, "what was refused took nothing of the other")
        #expect(verdicts[3].standings[1].retryAfter == 60_000_000)
    }

    @Test("the table stays within its bound, and full buckets are forgotten first")
    func bounded() {
        var buckets = RateBuckets(bound: 100)
        for index in 0..<10_000 {
            _ = buckets.take([claim("caller \(index)", slow)], at: Int64(index))
            #expect(buckets.count <= 100)
        }
        var sparse = RateBuckets(bound: 100)
        _ = sparse.take([claim("often", slow)], at: 0)
        _ = sparse.take([claim("often", slow)], at: 0)
        // Each of these is full again when the next comes.
        let brief = BucketRule(interval: 10_000, burst: 10)
        for index in 1..<1000 { _ = sparse.take([claim("\(index)", brief)], at: Int64(index) * 20_000) }
        let verdict = sparse.take([claim("often", slow)], at: 21_000_000)
        #expect(!verdict.isAdmitted, "it has been forgotten")
    }
}

@Suite(.timeLimit(.minutes(1)))
struct RouteRatesTests {
    private func rates(_ limits: [Manifest.RateLimit]) throws -> RouteRates {
        var manifest = Manifest(name: "motto")
        manifest.rateLimits = limits
        return try #require(RouteRates(manifest))
    }

    private let perKey = Manifest.RateLimit(
        per: .key(header: "x-api-key"),
        count: 10,
        window: .seconds(1),
        burst: 20
    )
    private let perUser = Manifest.RateLimit(per: .user, count: 100, window: .seconds(60), burst: 100)

    @Test(
        "the fields say policy and standing as structured fields; limits of one kind have names of their own"
    )
    func fields() throws {
        let rates = try rates([perKey, perUser, perUser])
        #expect(rates.policy == "\"key\";q=20;w=2, \"user\";q=100;w=60, \"user-2\";q=100;w=60")
        let verdict = RateVerdict(
            standings: [
                perKey.rule.standing(lead: 100_000), perUser.rule.standing(lead: 60_000_000),
                perUser.rule.standing(lead: 0),
            ],
            isAdmitted: false
        )
        #expect(rates.standing(verdict) == "\"key\";r=19;t=1, \"user\";r=0;t=60, \"user-2\";r=100;t=0")
        let error = rates.error(verdict.refused ?? -1, verdict)
        #expect(error.status == 429 && error.code == "rate_limited")
        #expect(error.message.contains("100 requests in 60.0 seconds") && error.message.contains("one user"))
    }

    @Test("callers are told apart by key, user and network, and none of these stands in a bucket's name")
    func claims() throws {
        let rates = try rates([
            perKey, perUser, .init(per: .address, count: 1, window: .seconds(1), burst: 1),
        ])
        func names(_ key: String?, _ user: String?, _ address: String) -> [String] {
            let headers = key.map { [Header("X-Api-Key", $0)] } ?? []
            return rates.claims(principal: user, address: address, headers: headers) {
                String(String($0.text.reversed()).map { $0 == "-" ? "_" : $0 })
            }.map(\.bucket)
        }
        let ada = names("secret-1", "ada", "10.0.0.1")
        #expect(ada == names("secret-1", "ada", "10.0.0.1"))
        #expect(Set(ada).isDisjoint(with: names("secret-2", "bob", "10.0.0.2")))
        #expect(!ada.joined().contains("secret-1"))
        #expect(names(nil, nil, "::1") == names(nil, nil, "::1"), "those without a name count together")
    }

    @Test("of IPv6 the first 64 bits count, of a mapped IPv4 address the address")
    func networks() {
        #expect(RouteRates.network(of: "192.0.2.7") == "192.0.2.7")
        #expect(
            RouteRates.network(of: "2001:db8:1:2:aaaa::1") == RouteRates.network(of: "2001:DB8:1:2::bbbb")
        )
        #expect(RouteRates.network(of: "2001:db8:1:3::1") != RouteRates.network(of: "2001:db8:1:2::1"))
        #expect(RouteRates.network(of: "::ffff:192.0.2.7") == "192.0.2.7")
        #expect(RouteRates.network(of: "::1") == "0:0:0:0")
    }
}

@Suite(.timeLimit(.minutes(1)))
struct RateLimitedRequestTests {
    /// Lets everybody pass, and keeps what was claimed.
    private final class Limiter: RateLimiting {
        let buckets = Watched<[String]>([])

        func admit(
            _ claims: [RateClaim],
            of function: String,
            on loop: any EventLoop,
            later: @escaping @Sendable (RateVerdict) -> Void
        ) -> RateVerdict? {
            buckets.update { $0 += claims.map(\.bucket) }
            return RateVerdict(standings: claims.map { $0.rule.standing(lead: 0) }, isAdmitted: true)
        }
    }

    @Test("a limit per address goes by the client's, as far as a trusted proxy tells it, not by the proxy's")
    func address() async throws {
        var manifests = TestServer.manifests()
        manifests[0].rateLimits = [.init(per: .address, count: 1, window: .seconds(1), burst: 1)]
        var settings = GatewaySettings()
        settings.proxies = TrustedProxies([try #require(AddressRange("127.0.0.1"))])
        let limiter = Limiter()
        try await TestServer.run(manifests: manifests, limiter: limiter, settings: settings) { server in
            for client in ["203.0.113.9", "203.0.113.9", "203.0.113.10"] {
                let field = "X-Forwarded-For: \(client)\r\n"
                let status = try await server.post("/v1/echo", "{}", field).status
                #expect(status == 200)
            }
        }
        let buckets = limiter.buckets.value
        #expect(buckets.count == 3 && buckets[0] == buckets[1] && buckets[1] != buckets[2], "\(buckets)")
    }
}
