import FunctionCore
import TestSupport
import Testing
import UserData

@Suite(.timeLimit(.minutes(1)))
struct DocumentsTests {
    private let workspace = Workspace()
    private let clock = HandClock()

    private func withService(_ body: (DocumentsService) async throws -> Void) async throws {
        let store = try await DocumentStore.open(directory: workspace.path)
        try await body(DocumentsService(store, clock: clock))
        await store.close()
    }

    private func documents(_ service: DocumentsService, _ invocation: String = "i1") -> DocumentsBinding {
        Bindings(DirectCaller(service: service, invocation: invocation)).documents
    }

    private func waitFor(_ count: Int, _ service: DocumentsService) async {
        while service.waiting("mottos", "k") != count, !Task.isCancelled { await Task.yield() }
    }

    @Test("documents have versions, and a put over another version than expected is a conflict")
    func versions() async throws {
        try await withService { service in
            let documents = documents(service)
            #expect(try await documents.get("mottos", "k")?.version == nil)
            #expect(try await documents.put("mottos", "k", "a", expected: 0).version == 1)
            #expect(
                await fault { _ = try await documents.put("mottos", "k", "b", expected: 0) }?.code
                    == "version_conflict"
            )
            #expect(try await documents.put("mottos", "k", "b", expected: 1).version == 2)
            #expect(try await documents.put("mottos", "k", "c").version == 3)
            #expect(
                await fault { _ = try await documents.put("mottos", "k", "d", expected: 2) }?.status == 409
            )
            _ = try await documents.put("mottos", "j", "z")
            #expect(try await documents.list("mottos").map(\.key) == ["j", "k"])
            #expect(try await documents.get("mottos", "k")?.value == "c")
            #expect(
                await fault { _ = try await documents.get("mot tos", "k") }?.faults.first?.path
                    == "collection"
            )
        }
    }

    @Test("of 20 concurrent claims one makes the document and the others get it")
    func oneMaker() async throws {
        try await withService { service in
            let found = try await withThrowingTaskGroup(of: Document?.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let mine = documents(service, "i\(number)")
                        guard let there = try await mine.claim("mottos", "k") else {
                            await waitFor(19, service)
                            _ = try await mine.put("mottos", "k", "made once")
                            return nil
                        }
                        return there
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(found.filter { $0?.version == nil }.count == 1)
            #expect(found.compactMap { $0?.value }.allSatisfy { $0 == "made once" })
            #expect(try await documents(service).claim("mottos", "k")?.version == 1)
            #expect(service.waiting("mottos", "k") == 0)
        }
    }

    @Test("when the maker's invocation ends without a put, the first in line makes the document")
    func nextInLine() async throws {
        try await withService { service in
            #expect(try await documents(service, "maker").claim("mottos", "k")?.version == nil)
            #expect(try await documents(service, "maker").claim("mottos", "k")?.version == nil)
            let second = Task { try await documents(service, "second").claim("mottos", "k") }
            await waitFor(1, service)
            let third = Task { try await documents(service, "third").claim("mottos", "k") }
            await waitFor(2, service)
            await service.invocationEnded("maker", final: false)
            #expect(try await second.value?.version == nil)
            #expect(service.waiting("mottos", "k") == 1)
            _ = try await documents(service, "second").put("mottos", "k", "by the second")
            #expect(try await third.value?.value == "by the second")
        }
    }

    @Test("a waiter that is cancelled, or whose invocation ends, leaves the line")
    func leaving() async throws {
        try await withService { service in
            let first = try await documents(service, "maker").claim("mottos", "k")
            #expect(first?.version == nil)
            let cancelled = Task { try await documents(service, "a").claim("mottos", "k") }
            await waitFor(1, service)
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            let ended = Task { try await documents(service, "b").claim("mottos", "k") }
            await waitFor(1, service)
            await service.invocationEnded("b", final: true)
            await #expect(throws: CancellationError.self) { try await ended.value }
            await service.invocationEnded("maker", final: true)
            #expect(try await documents(service, "c").claim("mottos", "k")?.version == nil)
            let late = Task { try await documents(service, "d").claim("mottos", "k") }
            late.cancel()
            await #expect(throws: CancellationError.self) { try await late.value }
        }
    }
}
