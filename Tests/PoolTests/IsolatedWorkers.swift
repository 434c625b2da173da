import FunctionCore
import Glibc
import Invocations
import Isolation
import NIOCore
import Testing

@testable import WorkerPool

/// Isolation for the workers of one test, in a directory of its own.
struct IsolatedWorkers {
    let isolation: WorkerIsolation
    let place: String

    /// Everything the machine has, unless it is changed.
    init(_ change: (inout WorkerIsolation.Settings) -> Void = { _ in }) throws {
        var template = Array("/tmp/swiftlet-isolation-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        place = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(place, 0o755)
        mkdir("\(place)/data", 0o700)
        var settings = WorkerIsolation.Settings()
        settings.firstUser = 60_000
        change(&settings)
        isolation = WorkerIsolation(settings, data: "\(place)/data")
    }

    /// Where workers' directories are.
    var directories: String { isolation.features.first { $0.name == "directories" }?.detail ?? "" }

    func has(_ name: String) -> Bool { isolation.features.contains { $0.name == name && $0.isOn } }

    /// Ends it; what workers left would still be there.
    func close() {
        isolation.close()
        #expect(access(directories, F_OK) != 0, "\(directories) is left")
        rmdir("\(place)/data")
        rmdir(place)
    }

    /// What this machine has, for tests that need it.
    static let machine: Set<String> = {
        guard let probe = try? IsolatedWorkers() else { return [] }
        defer { probe.close() }
        return Set(probe.isolation.features.filter(\.isOn).map(\.name))
    }()
}

extension PoolBench {
    /// A sibling function that is called all the while `body` runs; every answer must come, and be right.
    static func withSibling(
        _ isolation: WorkerIsolation? = nil,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let sibling = PoolBench("echo", isolation: isolation)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    let start = Monotonic.now
                    #expect(await sibling.run("{}").body == "{}" || Task.isCancelled)
                    #expect(Monotonic.now - start < .seconds(5))
                    try? await sibling.pool.loop.scheduleTask(in: .milliseconds(5)) {}.futureResult.get()
                }
            }
            defer { group.cancelAll() }
            group.addTask { try await body() }
            // The body ends first: the sibling's calls go on until they are cancelled.
            try await group.next()
        }
        try await sibling.drain()
    }
}
