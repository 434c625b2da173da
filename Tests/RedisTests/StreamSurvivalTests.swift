import FunctionCore
import Invocations
import NIOCore
import NIOPosix
import RedisTrigger
import Synchronization
import TestSupport
import Testing

/// A server that answers each command by a closure; nil for no answer.
private final class FakeRedis: Sendable {
    private let channel: any Channel
    var url: String { "redis://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let decoder = RESPDecoder()
        private let answer: @Sendable ([String]) -> String?

        init(_ answer: @escaping @Sendable ([String]) -> String?) {
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var buffer = unwrapInboundIn(data)
            for command in (try? decoder.feed(&buffer)) ?? [] {
                guard let reply = answer((command.array ?? []).compactMap(\.text)) else { continue }
                context.writeAndFlush(NIOAny(ByteBuffer(string: reply + "\r\n")), promise: nil)
            }
        }
    }

    init(_ answer: @escaping @Sendable ([String]) -> String?) async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func close() async { try? await channel.close().get() }
}

@Suite(.timeLimit(.minutes(1)))
struct StreamSurvivalTests {
    private func add(_ client: RedisClient, _ count: Int) async throws -> [String] {
        let replies = try await client.pipeline(
            (0..<count).map { ["XADD", "orders", "*", "n", Bytes("\($0)")] }
        )
        return replies.compactMap(\.text)
    }

    private func counts(_ client: RedisClient) async throws -> StreamCounts {
        try await StreamCounts.read(stream: "orders", group: "g", from: client)
    }

    private func downs(_ reports: [StreamReport]) -> Int {
        reports.count { if case .redisDown = $0 { true } else { false } }
    }

    @Test("a server that stands still loses nothing: what could not be said to it is said when it goes on")
    func stopped() async throws {
        try await RedisServer.run { server in
            try await withClient(server.url) { client in
                let gate = Log<Bool>()
                let test = TriggerUnderTest(client, concurrency: 8)
                test.trigger.start()
                _ = try await add(client, 100)
                server.pause()
                client.eventLoop.scheduleTask(in: .seconds(7)) {
                    server.resume()
                    gate.append(true)
                }
                await gate.wait { !$0.isEmpty }
                while (try? await client.send(["PING"])) == nil {}
                _ = try await add(client, 100)
                while try await counts(client).completed < 200 {}
                #expect(try await counts(client) == StreamCounts(accepted: 200, completed: 200))
                await test.trigger.stop()
            }
        }
    }

    @Test("a primary that becomes a replica, and one again, is waited for, and told of once")
    func failover() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let test = TriggerUnderTest(client)
                test.trigger.start()
                _ = try await add(client, 5)
                await test.acked(5)
                // Of a primary that is not there: READONLY to writes, and MASTERDOWN to reads.
                _ = try await client.send(["CONFIG", "SET", "replica-serve-stale-data", "no"])
                _ = try await client.send(["REPLICAOF", "127.0.0.1", "1"])
                await test.reports.wait { reports in
                    reports.contains { if case .redisDown = $0 { true } else { false } }
                }
                for _ in 0..<10 { _ = try? await client.send(["BLPOP", "nothing", "0.1"]) }
                var isPrimary = false
                while !isPrimary {
                    isPrimary = (try? await client.send(["REPLICAOF", "NO", "ONE"])) != nil
                }
                await test.reports.wait { $0.contains(.redisUp) }
                while (try? await add(client, 5).count) != 5 {}
                await test.acked(10)
                #expect(downs(test.reports.elements) == 1)
                await test.trigger.stop()
            }
        }
    }

    @Test("a server without memory takes acknowledgements; a dead letter waits until there is room")
    func memory() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let test = TriggerUnderTest(client, attempts: 1) { invocation in
                    (try? invocation.redisEvent.entries[0].data["n"]) == "1"
                        ? .replied(status: 422) : .replied(status: 200)
                }
                _ = try await add(client, 3)
                _ = try await client.send(["XGROUP", "CREATE", "orders", "g", "0"])
                _ = try await client.send(["HSET", "swiftlet:counts:{orders}:g", "before", "0"])
                _ = try await client.send(["CONFIG", "SET", "maxmemory", "1"])
                test.trigger.start()
                await test.acked(2)
                await test.reports.wait { $0.contains { if case .settleFailed = $0 { true } else { false } } }
                #expect(try await counts(client).pending == 1)
                _ = try await client.send(["CONFIG", "SET", "maxmemory", "0"])
                await test.reports.wait { !$0.deadLetters.isEmpty }
                let counts = try await counts(client)
                #expect(counts == StreamCounts(accepted: 3, completed: 2, deadLettered: 1))
                await test.trigger.stop()
            }
        }
    }

    @Test("a database that is flushed is begun anew, and said to have been lost")
    func flushed() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let test = TriggerUnderTest(client)
                test.trigger.start()
                _ = try await add(client, 5)
                await test.acked(5)
                _ = try await client.send(["FLUSHALL"])
                let ids = try await add(client, 5)
                await test.reports.wait { Set($0.acked).isSuperset(of: ids) }
                #expect(test.reports.elements.contains(.groupLost))
                #expect(try await counts(client) == StreamCounts(accepted: 5, completed: 5))
                await test.trigger.stop()
            }
        }
    }

    @Test(
        "a server that refuses for a while is asked with growing waits, not in a busy loop",
        arguments: [
            "-LOADING Redis is loading the dataset in memory", "-MASTERDOWN Link with MASTER is down",
            "-CLUSTERDOWN The cluster is down", "-BUSY Redis is busy running a script",
            "-MISCONF Redis is configured to save RDB snapshots",
        ]
    )
    func refusals(_ refusal: String) async throws {
        let asked = Log<String>()
        let entry = "*1\r\n*2\r\n$6\r\norders\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nn\r\n$1\r\n1"
        let server = try await FakeRedis { command in
            guard ["EVAL", "XREADGROUP"].contains(command[0]) else { return "+OK" }
            if command.contains("completed") { return ":1" }
            asked.append(command[0])
            if asked.elements.count <= 4 { return refusal }
            if command[0] == "EVAL" { return ":1" }
            if command.last == "0" { return "*1\r\n*2\r\n$6\r\norders\r\n*0" }
            return asked.elements.count(where: { $0 == "XREADGROUP" }) == 2 ? entry : nil
        }
        try await withClient(server.url) { client in
            let test = TriggerUnderTest(client)
            test.trigger.start()
            await test.acked(1)
            #expect(asked.elements.count < 12)
            #expect(downs(test.reports.elements) == 1)
            await test.trigger.stop(grace: .zero)
        }
        await server.close()
    }
}
