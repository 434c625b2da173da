import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("Stopping a host", .timeLimit(.minutes(1)))
    struct StopTests {
        @Test(
            "Ctrl-C ends all processes within 5 s, and a film that was being made is made after the next start"
        )
        func interruptedFilm() async throws {
            try await DevHost.run { host in
                let script = try await host.script(12, seconds: 30)
                let accepted = try await host.post("/v1/users/12/videos", ["script": .string(script)])
                let id = try #require(accepted.json["job"]?["id"]?.stringValue)
                _ = try await eventually("the film's second stage") {
                    let job = try await host.job(id)
                    return (job["percent"]?.intValue ?? 0) > 3 ? .some(job) : nil
                }
                let pid = try #require(host.pid)
                let children = Text.children(of: pid)
                #expect(children.count >= 3, "redis, the provider and a worker at least: \(children)")
                let end = try await host.interrupt()
                #expect(end.status == .exited(0))
                #expect(end.after < .seconds(5), "it took \(end.after)")
                let left = children.filter { Text.isAlive($0) }
                #expect(left.isEmpty, "still there: \(left.map { Text.read("/proc/\($0)/cmdline") ?? "" })")
                #expect(Text.read("\(host.data)/host.json") == nil, "host.json tells of a host that is gone")

                try await host.start()
                let job = try await host.endOfJob(id)
                #expect(job["state"]?.stringValue == "completed", "\(job.text)")
                let films = try await host.list("videos", of: 12).filter { $0["id"]?.stringValue == id }
                #expect(films.count == 1)
            }
        }

        @Test("SIGTERM ends an idle host at once with 0", arguments: [SIGTERM, SIGINT])
        func idle(signal: Int32) async throws {
            try await DevHost.run { host in
                let children = Text.children(of: try #require(host.pid))
                let end = try await host.interrupt(signal)
                #expect(end.status == .exited(0))
                #expect(end.after < .seconds(2), "it took \(end.after)")
                #expect(children.filter { Text.isAlive($0) }.isEmpty)
            }
        }
    }
}
