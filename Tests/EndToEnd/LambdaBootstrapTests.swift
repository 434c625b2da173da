import FunctionCore
import Processes
import TestSupport
import Testing

extension Scenarios {
    /// The bundle as AWS Lambda runs it: AWS's emulator stands at the other end of the Runtime API.
    @Suite("The bundle as a Lambda", .timeLimit(.minutes(10)))
    struct LambdaBootstrapTests {
        private func emulated(_ scenario: String, bundle: String? = nil) async throws {
            let ran = try await Python.run(
                "LambdaBootstrap/emulated.py",
                requirements: "LambdaBootstrap/emulator.txt",
                [bundle ?? "\(Installed.directory)/fixtures", scenario]
            )
            #expect(ran.code == 0, "\(scenario): \(ran.all)")
        }

        @Test("plain events are answered with the reply's JSON, whatever their size")
        func plain() async throws { try await emulated("plain") }

        @Test("errors have their code as their type, a missing function and a binding say the remedy")
        func faults() async throws { try await emulated("faults") }

        @Test("an invocation that overran is over, and the next one runs")
        func timeouts() async throws { try await emulated("timeouts") }

        @Test("streamed replies go out as they come, with their head in front, or whole where they must")
        func streams() async throws { try await emulated("streams") }

        @Test("requests of payload format 2.0 take the manifest's routes")
        func http() async throws { try await emulated("http") }

        @Test("EventBridge's events are a schedule's")
        func schedules() async throws { try await emulated("schedules") }

        @Test("a queue's messages fail one by one")
        func batches() async throws { try await emulated("batches") }

        private func scripted(_ scenario: String) async throws {
            let folder = "\(Installed.project)/Tests/EndToEnd/LambdaBootstrap"
            let spec = ChildSpec(
                "/usr/bin/python3",
                ["\(folder)/scripted.py", "\(Installed.directory)/fixtures", scenario]
            )
            let ran = try await ChildProcess.run(spec, timeout: .seconds(50))
            #expect(ran.status == .exited(0), "\(scenario): \(ran.output.text)\(ran.errors.text)")
        }

        @Test("a stream's pieces go out when they are written, and a failure within it in its trailers")
        func pieces() async throws { try await scripted("streams") }

        @Test("deadline, trace and id reach the function; connections that close and refusals are survived")
        func told() async throws { try await scripted("told") }

        @Test("AWS_LAMBDA_MAX_CONCURRENCY loops run at once")
        func several() async throws { try await scripted("several") }

        @Test("SIGTERM ends it at once where it waits, else after its invocation")
        func ends() async throws { try await scripted("ends") }

        @Test("what cannot begin says why to the platform")
        func beginnings() async throws { try await scripted("beginnings") }

        @Test("the template is one that cfn-lint accepts")
        func template() async throws {
            let ran = try await Python.run(
                "LambdaBootstrap/lint_template.py",
                requirements: "LambdaBootstrap/template.txt"
            )
            #expect(ran.code == 0, "\(ran.all)")
        }

        @Test("what is packaged serves a shipped function by its manifest's routes")
        func packaged() async throws {
            let place = try TemporaryPlace()
            let zip = "\(place.path)/functions.zip"
            let packed = try await Ran.run(
                ChildSpec(
                    "\(Installed.project)/deploy/lambda/package",
                    [
                        "--out", zip, "--bundle", "\(Installed.directory)/functions", "--swiftlet",
                        "\(Installed.directory)/swiftlet",
                    ]
                )
            )
            #expect(packed.code == 0, "\(packed.all)")
            try await emulated("packaged", bundle: zip)
        }
    }
}
