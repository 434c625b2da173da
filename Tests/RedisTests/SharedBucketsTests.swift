import FunctionCore
import Invocations
import NIOCore
import NIOPosix
import RedisTrigger
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SharedBucketsTests {
    private let slow = BucketRule(interval: 60_000_000, burst: 7)
    private let wide = BucketRule(interval: 1_000_000, burst: 1000)

    private func take(_ client: RedisClient, _ claims: [RateClaim]) async -> RateVerdict? {
        await withCheckedContinuation { continuation in
            SharedBuckets(client: client).take(claims) { continuation.resume(returning: $0) }
        }
    }

    @Test("two hosts that ask at once get exactly the burst between them, and take all or nothing")
    func exact() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { one in
                try await withClient(url) { two in
                    let claims = [
                        RateClaim(bucket: "f:user:a", rule: slow),
                        RateClaim(bucket: "f:address:b", rule: wide),
                    ]
                    let verdicts = await withTaskGroup(of: RateVerdict?.self) { group in
                        for index in 0..<60 {
                            group.addTask { await take(index.isMultiple(of: 2) ? one : two, claims) }
                        }
                        return await group.reduce(into: []) { $0.append($1) }
                    }
                    #expect(verdicts.count { $0?.isAdmitted == true } == 7)
                    #expect(verdicts.count { $0?.isAdmitted == false } == 53)
                    let last = try #require(await take(one, claims))
                    #expect(last.refused == 0 && last.standings[0].remaining == 0)
                    #expect(last.standings[0].retryAfter > 50_000_000)
                    #expect(last.standings[1].remaining >= 993, "what was refused took nothing")
                    let other = await take(two, [RateClaim(bucket: "f:user:c", rule: slow)])
                    #expect(other?.isAdmitted == true && other?.standings.first?.remaining == 6)
                }
            }
        }
    }

    @Test("a bucket's key goes when it is full")
    func expiry() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let rule = BucketRule(interval: 30_000, burst: 1)
                _ = await take(client, [RateClaim(bucket: "short", rule: rule)])
                while try await client.send(["EXISTS", "rate:short"]).int != 0 {}
                let again = await take(client, [RateClaim(bucket: "short", rule: rule)])
                #expect(again?.isAdmitted == true)
            }
        }
    }

    @Test("without an answer there is no verdict")
    func away() async throws {
        let client = RedisClient(
            url: try RedisURL("unix:///nowhere/s"),
            on: MultiThreadedEventLoopGroup.singleton.next()
        )
        #expect(await take(client, [RateClaim(bucket: "x", rule: slow)]) == nil)
        await client.shutdown()
    }
}
