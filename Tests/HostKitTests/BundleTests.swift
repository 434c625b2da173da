import Glibc
import TestSupport
import Testing

@testable import HostKit

@Suite(.timeLimit(.minutes(1)))
struct BundleTests {
    private let workspace = Workspace()

    private func load(_ number: Int) async throws -> Bundle {
        let path = "\(workspace.path)/functions"
        let script = "#!/bin/sh\necho '{\"name\": \"f\(number)\"}'\n"
        try #require(writeText(script, to: path, mode: 0o700))
        return try await Bundle.load(path, into: "\(workspace.path)/bundles")
    }

    @Test("the copy of a bundle that somebody has stays, however many come after; others go but the newest")
    func prunes() async throws {
        var first: Bundle? = try await load(0)
        let path = try #require(first?.executable)
        #expect(first?.functions == ["f0"])
        // The oldest by the time of its folder.
        var times = [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]
        #expect(utimes("\(path.dropLast("/functions".count))", &times) == 0)
        for number in 1...6 { _ = try await load(number) }
        #expect(access(path, X_OK) == 0)
        #expect(listDirectory("\(workspace.path)/bundles").count == 5)
        first = nil
        _ = try await load(7)
        #expect(access(path, X_OK) != 0)
        #expect(listDirectory("\(workspace.path)/bundles").count == 4)
    }
}
