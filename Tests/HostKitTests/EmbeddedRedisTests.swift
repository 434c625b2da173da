import Foundation
import FunctionCore
import HostKit
import NIOCore
import NIOPosix
import RedisTrigger
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EmbeddedRedisTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    private func withDirectory(_ name: String = "data", _ body: (String) async throws -> Void) async throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "swiftlet-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: parent) }
        try await body(parent.appending(path: name).path())
    }

    private func send(_ url: RedisURL, _ command: [String]) async throws -> RedisValue {
        let client = RedisClient(url: url, on: loop)
        try await client.connect()
        do {
            let reply = try await client.send(command)
            await client.shutdown()
            return reply
        } catch {
            await client.shutdown()
            throw error
        }
    }

    @Test("what was written is there after a stop and a start")
    func durable() async throws {
        try await withDirectory { directory in
            let first = try await EmbeddedRedis.start(dataDirectory: directory, on: loop)
            _ = try await send(RedisURL(first.url), ["SET", "k", "v"])
            let byPort = RedisURL(address: .tcp(host: "127.0.0.1", port: first.port))
            let seen = try await send(byPort, ["GET", "k"])
            #expect(seen.text == "v")
            await first.stop()
            _ = await #expect(throws: RedisError.self) { try await send(byPort, ["PING"]) }
            let second = try await EmbeddedRedis.start(dataDirectory: directory, on: loop)
            let kept = try await send(RedisURL(second.url), ["GET", "k"])
            #expect(kept.text == "v")
            await second.stop()
        }
    }

    @Test("a server that a killed host left running is ended, and its data is kept")
    func leftover() async throws {
        try await withDirectory { directory in
            let first = try await EmbeddedRedis.start(dataDirectory: directory, on: loop)
            _ = try await send(RedisURL(first.url), ["SET", "k", "v"])
            let second = try await EmbeddedRedis.start(dataDirectory: directory, on: loop)
            #expect(second.port != first.port)
            let kept = try await send(RedisURL(second.url), ["GET", "k"])
            #expect(kept.text == "v")
            await first.stop(grace: .zero)
            let alive = try await send(RedisURL(second.url), ["PING"])
            #expect(alive == .simple("PONG"))
            await second.stop()
        }
    }

    @Test("a data directory with a long path has its socket elsewhere")
    func longPath() async throws {
        try await withDirectory(String(repeating: "long", count: 30)) { directory in
            let server = try await EmbeddedRedis.start(
                dataDirectory: directory,
                on: loop
            )
            #expect(server.url.hasPrefix("unix:///tmp/swiftlet-"))
            let reply = try await send(RedisURL(server.url), ["PING"])
            #expect(reply == .simple("PONG"))
            await server.stop()
        }
    }
}
