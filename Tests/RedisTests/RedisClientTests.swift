import FunctionCore
import NIOCore
import NIOPosix
import RedisTrigger
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RedisClientTests {
    @Test("commands sent together are answered in their order")
    func pipelining() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let replies = try await client.pipeline((0..<1000).map { ["ECHO", Bytes("\($0)")] })
                #expect(replies == (0..<1000).map { .bulk(Bytes("\($0)")) })
                let sums = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<200 {
                        group.addTask { try await client.send(["ECHO", "\(number)"]).int ?? -1 }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(sums == 199 * 100)
            }
        }
    }

    @Test("a value of 2 MiB of any bytes comes back as it was")
    func largeValue() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let value = Bytes((0..<(2 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) })
                _ = try await client.send(["SET", "k", value])
                #expect(try await client.send(["GET", "k"]) == .bulk(value))
            }
        }
    }

    @Test("an error reply is thrown with its kind, and the connection lives on")
    func errorReply() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                _ = try await client.send(["SET", "k", "v"])
                let error = await #expect(throws: RedisError.self) {
                    try await client.send(["LPUSH", "k", "v"])
                }
                #expect(error?.kind == "WRONGTYPE")
                #expect(error?.code == .refused)
                #expect(try await client.send(["GET", "k"]).text == "v")
            }
        }
    }

    @Test("a transaction gives its replies, and nothing is done where one command is refused")
    func transaction() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let counts = try await client.transaction([["INCR", "n"], ["INCR", "n"]])
                #expect(counts == [.integer(1), .integer(2)])
                let error = await #expect(throws: RedisError.self) {
                    try await client.transaction([["INCR", "n"], ["NONSENSE"]])
                }
                #expect(error?.message.contains("NONSENSE") == true)
                #expect(try await client.send(["GET", "n"]).int == 2)
            }
        }
    }

    @Test("a command beyond 1024 waiting ones is refused, the others are answered")
    func bound() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let results = Log<Result<RedisValue, RedisError>>()
                client.eventLoop.execute {
                    for _ in 0..<1025 { client.submit(["PING"]) { results.append($0) } }
                }
                await results.wait { $0.count == 1025 }
                let failures = results.elements.compactMap { result in
                    if case .failure(let error) = result { error.code } else { nil }
                }
                #expect(failures == [.busy])
            }
        }
    }

    @Test("a command whose time is over fails alone; later replies still fit their commands")
    func timeout() async throws {
        try await RedisServer.with { url in
            try await withClient(url) { client in
                let error = await #expect(throws: RedisError.self) {
                    try await client.send(["BLPOP", "nothing", "1"], timeout: .milliseconds(100))
                }
                #expect(error?.code == .timedOut)
                let next = try await client.send(["ECHO", "after"])
                #expect(next.text == "after")
            }
        }
    }

    @Test("without a connection commands fail at once, and work again after the server's restart")
    func reconnects() async throws {
        try await RedisServer.run { server in
            let changes = Log<RedisError?>()
            let client = RedisClient(
                url: try RedisURL(server.url),
                on: MultiThreadedEventLoopGroup.singleton.next(),
                onChange: { changes.append($0) }
            )
            try await client.connect()
            let results = Log<Result<RedisValue, RedisError>>()
            try await client.eventLoop.submit {
                client.submit(["BLPOP", "nothing", "0"], timeout: .seconds(30)) { results.append($0) }
            }.get()
            await server.kill()
            await results.wait { $0.count == 1 }
            let lost = #expect(throws: RedisError.self) { try results.elements[0].get() }
            #expect(lost?.code == .disconnected)
            await changes.wait { $0.count == 2 }
            let error = await #expect(throws: RedisError.self) { try await client.send(["PING"]) }
            #expect(error?.code == .unavailable)
            try await server.start()
            await changes.wait { $0.count == 3 }
            #expect(try await client.send(["PING"]) == .simple("PONG"))
            #expect(changes.elements.map { $0 == nil } == [true, false, true])
            await client.shutdown()
        }
    }

    @Test("nobody at the address: the first attempt's error is told, and the URL is in it")
    func nobodyThere() async throws {
        let client = RedisClient(
            url: try RedisURL("redis://:secret@127.0.0.1:1"),
            on: MultiThreadedEventLoopGroup.singleton.next()
        )
        _ = await #expect(throws: RedisError.self) { try await client.connect() }
        let error = await #expect(throws: RedisError.self) { try await client.send(["PING"]) }
        #expect(error?.message.contains("127.0.0.1:1") == true)
        #expect(error?.message.contains("secret") == false)
        await client.shutdown()
    }

    @Test("AUTH and SELECT come from the URL; a wrong password is told")
    func access() async throws {
        try await RedisServer.with { url in
            let path = String(url.dropFirst("unix://".count))
            try await withClient(url) { admin in
                _ = try await admin.send(["ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all"])
                var access = RedisURL(address: .unix(path: path), user: "app", password: "pw", database: 5)
                let loop = MultiThreadedEventLoopGroup.singleton.next()
                let client = RedisClient(url: access, on: loop)
                try await client.connect()
                _ = try await client.send(["SET", "k", "v"])
                _ = try await admin.send(["SELECT", "5"])
                #expect(try await admin.send(["GET", "k"]).text == "v")
                await client.shutdown()
                access.password = "wrong"
                let stranger = RedisClient(url: access, on: loop)
                let error = await #expect(throws: RedisError.self) { try await stranger.connect() }
                #expect(error?.kind == "WRONGPASS")
                await stranger.shutdown()
            }
        }
    }
}
