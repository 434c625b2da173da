import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    @Suite("The lag of a stream as a scaling metric", .timeLimit(.minutes(2)))
    struct LagTests {
        @Test("entries that wait in Redis bring workers by target.queueDepth, which go when the lag is gone")
        func queueDepth() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            let options = FixtureProject.options(in: place.path)
            // Two entries under way at once, which one worker holds: only what waits in Redis asks for more.
            let manifest = """
                triggers: {redis: [{stream: parcels, concurrency: 2}]}
                limits: {perWorker: 2, timeout: 10s}
                scale: {max: 3, idle: 1s, target: {queueDepth: 10}, window: 1s, stabilization: 1s}
                """
            FixtureProject.write("slow", manifest, in: place.path)
            try await DevHost.run(options) { host in
                for number in 0..<120 {
                    _ = try await host.redis("XADD", "parcels", "*", "number", "\(number)")
                }
                let grown = try await eventually("three workers") { () -> JSON? in
                    let function = try await function(host)
                    return function["wanted"]?.intValue == 3 && function["pids"]?.arrayValue?.count == 3
                        ? .some(function) : nil
                }
                #expect(grown["why"]?.stringValue?.contains("queueDepth") == true, "\(grown.text)")
                let metrics = try await HTTP.get("\(host.admin)/metrics").text
                let lag = metrics.split(separator: "\n").first {
                    $0.hasPrefix("swiftlet_stream_lag{stream=\"parcels\"")
                }
                let depth = lag?.split(separator: " ").last.flatMap { Int($0) } ?? 0
                #expect(depth > 20, "\(lag ?? "no lag")")
                _ = try await eventually("fewer workers", within: .seconds(60)) { () -> Bool? in
                    let function = try await function(host)
                    return (function["pids"]?.arrayValue?.count ?? 0) < 3 ? true : nil
                }
                let audit = try await eventually("the end of all entries", within: .seconds(60)) {
                    () -> JSON? in
                    let lines = try await HTTP.get("\(host.admin)/v1/audit").json["lines"]?.arrayValue
                    return lines?.first { $0["source"]?.stringValue == "parcels" && $0["completed"] == 120 }
                }
                #expect(audit["pending"]?.intValue == 0, "\(audit.text)")
            }
        }

        private func function(_ host: DevHost) async throws -> JSON {
            let list = try await HTTP.get("\(host.admin)/v1/functions").json["functions"]?.arrayValue ?? []
            return list.first { $0["name"]?.stringValue == "slow" } ?? .null
        }
    }
}
