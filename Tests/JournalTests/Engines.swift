import FunctionCore
import Invocations
import Journal
import NIOCore
import NIOPosix
import RedisTrigger
import TestSupport
import Testing

/// The engines that the suites on jobs are run against.
enum Engine: String, CaseIterable, CustomTestStringConvertible {
    case sqlite, redis

    var testDescription: String { rawValue }
}

/// What outlives a host: its data directory, and the engine's server.
struct JournalPlace {
    let engine: Engine
    let manifest: @Sendable (String) -> Manifest?
    var client: RedisClient?
    let workspace = Workspace()

    /// Opens the journal as a host does that starts.
    func open() async throws -> HostJournal {
        try await HostJournal.open(directory: workspace.path, redis: client, manifest: manifest)
    }

    /// Runs `body` with the journal, and sees that the law holds at its end.
    func journal(_ body: (HostJournal) async throws -> Void) async throws {
        let journal = try await open()
        try await body(journal)
        let lines = try await journal.jobs.audit()
        #expect(isBalanced(lines), "\(lines)")
        await journal.close()
    }
}

func withPlace(
    _ engine: Engine,
    manifest: @escaping @Sendable (String) -> Manifest? = { _ in nil },
    _ body: (JournalPlace) async throws -> Void
) async throws {
    switch engine {
    case .sqlite: try await body(JournalPlace(engine: engine, manifest: manifest))
    case .redis:
        try await RedisServer.run { server in
            try await withClient(server) {
                try await body(JournalPlace(engine: engine, manifest: manifest, client: $0))
            }
        }
    }
}

func withJournal(
    _ engine: Engine,
    manifest: @escaping @Sendable (String) -> Manifest? = { _ in nil },
    _ body: (HostJournal) async throws -> Void
) async throws {
    try await withPlace(engine, manifest: manifest) { try await $0.journal(body) }
}

/// Runs `body` with a connection to the server.
func withClient(_ server: RedisServer, _ body: (RedisClient) async throws -> Void) async throws {
    let client = RedisClient(
        url: try RedisURL(server.url),
        on: MultiThreadedEventLoopGroup.singleton.next()
    )
    try await client.connect()
    do {
        try await body(client)
        await client.shutdown()
    } catch {
        await client.shutdown()
        throw error
    }
}
