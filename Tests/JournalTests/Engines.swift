import FunctionCore
import Invocations
import Journal
import TestSupport
import Testing

/// The engines that the suites on jobs are run against.
enum Engine: String, CaseIterable, CustomTestStringConvertible {
    case sqlite

    var testDescription: String { rawValue }
}

/// What outlives a host: its data directory, and the engine's server.
struct JournalPlace {
    let engine: Engine
    let manifest: @Sendable (String) -> Manifest?
    let workspace = Workspace()

    /// Opens the journal as a host does that starts.
    func open() async throws -> HostJournal {
        try await HostJournal.open(directory: workspace.path, manifest: manifest)
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
    }
}

func withJournal(
    _ engine: Engine,
    manifest: @escaping @Sendable (String) -> Manifest? = { _ in nil },
    _ body: (HostJournal) async throws -> Void
) async throws {
    try await withPlace(engine, manifest: manifest) { try await $0.journal(body) }
}
