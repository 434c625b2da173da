import FunctionCore
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("Capacity and scaling", .timeLimit(.minutes(2)))
    struct CapacityTests {
        /// Memory for one worker, and several functions that want it.
        private let small = DevHost.Options(environment: ["SWIFTLET_CAPACITY_MEMORY": "256MiB"])

        @Test(
            "on a host with room for one worker the functions take turns, and the admin port tells whose it is"
        )
        func turns() async throws {
            try await DevHost.run(small) { host in
                for _ in 0..<2 {
                    #expect(try await host.get("/v1/questionnaires").status == 200)
                    let motto = try await host.post(
                        "/v1/mottos",
                        ["prompt": "a night train", "tone": "warm"]
                    )
                    #expect(motto.status == 200, "\(motto.text)")
                }
                let capacity = try await HTTP.get("\(host.admin)/v1/capacity").json
                let memory = capacity["resources"]?.arrayValue?.first {
                    $0["resource"]?.stringValue == "memory"
                }
                #expect(memory?["total"]?.intValue == 256 << 20)
                #expect(memory?["free"]?.intValue == 0)
                #expect(memory?["held"]?.arrayValue?.compactMap { $0["function"]?.stringValue } == ["motto"])
                #expect(capacity["waiting"]?.arrayValue?.isEmpty == true)
                let metrics = try await HTTP.get("\(host.admin)/metrics").text
                #expect(metrics.contains("swiftlet_capacity_total{resource=\"memory\"} 268435456"))
                #expect(
                    metrics.contains(
                        "swiftlet_capacity_held{resource=\"memory\",function=\"motto\"} 268435456"
                    )
                )
                #expect(!host.log("worker waits for room on the host", of: "motto").isEmpty)
            }
        }

        @Test("a target's decision is shown with its reason, and its trace can be recorded and replayed")
        func recorded() async throws {
            try await DevHost.run { host in
                let why = try await eventually("a decision", within: .seconds(30)) { () -> String? in
                    _ = try await host.get("/v1/questionnaires")
                    let functions = try await HTTP.get("\(host.admin)/v1/functions").json
                    let function = functions["functions"]?.arrayValue?.first {
                        $0["name"]?.stringValue == "questionnaire"
                    }
                    guard function?["wanted"]?.intValue == 1 else { return nil }
                    return function?["why"]?.stringValue
                }
                #expect(why.hasPrefix("requestRate"), "\(why)")
                let trace = try await HTTP.get("\(host.admin)/v1/functions/questionnaire/trace")
                #expect(trace.text.hasPrefix("time,workers,requestRate\n"), "\(trace.text)")
                let file = "\(host.place.path)/trace.csv"
                Text.write(trace.text.utf8, to: file)
                let manifest = "\(Installed.project)/Functions/Questionnaire/function.yaml"
                let ran = try await DevHost.swiftlet(["scale-replay", manifest, file])
                #expect(ran.code == 0 && ran.output.contains(",1,requestRate "), "\(ran.all)")
                let none = try await HTTP.get("\(host.admin)/v1/functions/trading/trace")
                #expect(none.status == 404 && none.text.contains("no target"), "\(none.text)")
            }
        }
    }
}
