import FunctionCore
import TestSupport
import Testing

extension Scenarios {
    /// Functions that `awslambdaric` runs.
    @Suite("Lambda runtimes", .serialized, .timeLimit(.minutes(8)))
    struct LambdaRuntimeTests {
        private func run(
            _ functions: [String: String],
            _ body: (DevHost) async throws -> Void
        ) async throws {
            let place = try TemporaryPlace()
            try await DevHost.run(try await LambdaProject.options(functions, in: place.path), body)
        }

        /// Has so many callers wait for one another in a function; the processes that served them.
        private func meet(_ count: Int, by function: String, on host: DevHost) async throws -> Set<Int> {
            let place = try TemporaryPlace()
            let event: JSON = [
                "do": "meet", "folder": .string(place.path), "count": .integer(Int64(count)),
            ]
            return try await withThrowingTaskGroup(of: LambdaAnswer.self) { group in
                for _ in 0..<count { group.addTask { try await host.lambda(function, event) } }
                var pids: Set<Int> = []
                for try await answer in group {
                    #expect(answer.fault == nil, "\(answer.body.text)")
                    if let pid = answer.body["pid"]?.intValue { pids.insert(pid) }
                }
                return pids
            }
        }

        @Test("a Python function answers invocations and HTTP requests, as it would on AWS")
        func echo() async throws {
            let web = """
                handler: app.http
                triggers:
                  http: [{method: POST, path: "/py/{what}"}, {method: GET, path: /py/json}]
                """
            try await run(["py": "", "web": web]) { host in
                let said = try await host.swiftlet("invoke", "py", "--event", "-", input: "{\"a\":1}")
                let reply = try JSON.parse(Bytes(said.output))
                #expect(reply["event"] == ["a": 1], "\(said.all)")
                #expect(reply["memory"]?.stringValue == "256")
                #expect(reply["arn"]?.stringValue?.hasSuffix(":function:py") == true)
                let left = try #require(reply["left"]?.intValue)
                #expect((1...30_000).contains(left))
                #expect(reply["stream"]?.stringValue?.contains("/[$LATEST]") == true)
                let made = try await host.post("/py/plain", ["x": 1])
                #expect(made.status == 201 && made.text == "made", "\(made.text)")
                #expect(made.headers.first("x-own") == "yes" && made.headers.first("set-cookie") == "a=1")
                let json = try await host.get("/py/json")
                #expect(json.json["route"]?.stringValue == "GET /py/json", "\(json.text)")
                let body = JSON.string(String(repeating: "x", count: 900_000))
                let large = try await host.lambda("py", ["text": body])
                #expect(large.body["event"]?["text"] == body)
            }
        }

        @Test("START, END and REPORT stand around what the function prints, in the log's end as well")
        func lines() async throws {
            try await run(["py": ""]) { host in
                let answer = try await host.lambda("py", ["do": "print"])
                #expect(answer.body["request"]?.stringValue == answer.request)
                let lines = answer.log.split(separator: "\n").map(String.init)
                #expect(lines.first == "START RequestId: \(answer.request) Version: $LATEST", "\(lines)")
                #expect(lines.contains("a line of the function") && lines.count == 4)
                #expect(lines[2] == "END RequestId: \(answer.request)")
                let report = try #require(lines.last?.split(separator: "\t"))
                #expect(report[0] == "REPORT RequestId: \(answer.request)")
                #expect(report[1].hasPrefix("Duration: ") && report[2].hasPrefix("Billed Duration: "))
                #expect(report[3] == "Memory Size: 256 MB" && report[5].hasPrefix("Init Duration: "))
                let used = report[4].split(separator: " ").compactMap { Int($0) }.first ?? 0
                #expect((5...200).contains(used), "\(report[4])")
                let second = try await host.lambda("py", [:])
                #expect(!second.log.contains("Init Duration"))
            }
        }

        @Test("errors, time limits, exits and long replies are told as on AWS, and the next invocation works")
        func faults() async throws {
            // Megabytes take a debug build their time.
            try await run(["py": "limits: {timeout: 2s}", "large": ""]) { host in
                let failed = try await host.lambda("py", ["do": "fail"])
                #expect(failed.status == 200 && failed.fault == "Unhandled")
                #expect(failed.error == ("ValueError", "told to"))
                #expect(failed.body["stackTrace"]?.arrayValue?.isEmpty == false)
                #expect(failed.body["requestId"]?.stringValue == failed.request)
                let late = try await host.lambda("py", ["do": "sleep", "seconds": 30])
                #expect(late.error.type == "Sandbox.Timedout")
                let text = "RequestId: \(late.request) Error: Task timed out after 2.00 seconds"
                #expect(late.error.message == text)
                #expect(late.log.contains("Z \(late.request) Task timed out after 2.00 seconds\nEND "))
                #expect(late.log.hasSuffix("\tStatus: timeout\n"), "\(late.log)")
                let next = try await host.lambda("py", ["a": 1])
                #expect(next.fault == nil && next.body["calls"] == 1, "\(next.body.text)")
                let left = try await host.lambda("py", ["do": "exit", "code": 0])
                let words = "RequestId: \(left.request) Error: Runtime exited without providing a reason"
                #expect(left.error == ("Runtime.ExitError", words))
                let broken = try await host.lambda("py", ["do": "exit", "code": 127])
                #expect(broken.error.message.hasSuffix("Runtime exited with error: exit status 127"))
                let killed = try await host.lambda("py", ["do": "kill"])
                let why = "RequestId: \(killed.request) Error: Runtime exited with error: signal: killed"
                #expect(killed.error == ("Runtime.ExitError", why))
                #expect(killed.log.contains("\n\(why)\nRuntime.ExitError\nEND RequestId"), "\(killed.log)")
                #expect(killed.log.hasSuffix("\tStatus: error\tError Type: Runtime.ExitError\n"))
                let long = try await host.lambda("large", ["do": "large", "bytes": 6_291_557])
                #expect(long.error.type == "Function.ResponseSizeTooLarge")
                #expect(long.error.message.contains("(6291556 bytes)"))
                let fits = try await host.lambda("large", ["do": "large", "bytes": 6_000_000])
                #expect(fits.fault == nil, "\(fits.error)")
                #expect(fits.body.stringValue?.utf8.count == 6_000_000)
            }
        }

        @Test("a worker over its memory is told as one killed for it")
        func memory() async throws {
            try await run(["py": "limits: {memory: 64MiB}"]) { host in
                let large = try await host.lambda("py", ["do": "allocate", "megabytes": 300])
                let why = "RequestId: \(large.request) Error: Runtime exited with error: signal: killed"
                #expect(large.error == ("Runtime.OutOfMemory", why))
                #expect(large.log.contains("\tMax Memory Used: 64 MB\t"), "\(large.log)")
                #expect(large.log.hasSuffix("\tStatus: error\tError Type: Runtime.OutOfMemory\n"))
            }
        }

        @Test("a file of the function's folder that changes has new workers run it, and loses no invocation")
        func reload() async throws {
            let place = try TemporaryPlace()
            try await DevHost.run(try await LambdaProject.options(["py": ""], in: place.path)) { host in
                let before = try await host.lambda("py", ["a": 1])
                #expect(before.body["event"] == ["a": 1])
                let code = "def handler(event, context):\n    return 'another'\n"
                Text.write(code.utf8, to: "\(place.path)/Functions/py/app.py")
                _ = try await eventually("the changed code") {
                    let answer = try await host.lambda("py", ["a": 1])
                    #expect(answer.fault == nil, "\(answer.body.text)")
                    return answer.body == "another" ? true : nil
                }
            }
        }

        @Test("who invokes a function whose start fails hears why, every time")
        func failedStarts() async throws {
            let functions = [
                "raises": "environment: {FAIL_INIT: raise}", "exits": "environment: {FAIL_INIT: exit}",
                "missing": "handler: nowhere.handler", "nameless": "handler: app.nothing",
            ]
            try await run(functions) { host in
                for _ in 0..<2 {
                    let raised = try await host.lambda("raises", [:])
                    #expect(raised.fault == "Unhandled" && raised.error.message == "no start today")
                    let exited = try await host.lambda("exits", [:])
                    #expect(exited.error.type == "Runtime.ExitError", "\(exited.body.text)")
                    #expect(exited.error.message.hasSuffix("exit status 3"))
                    let missing = try await host.lambda("missing", [:])
                    #expect(missing.error.type == "Runtime.ImportModuleError", "\(missing.body.text)")
                    #expect(missing.body["requestId"] == "")
                    let nameless = try await host.lambda("nameless", [:])
                    #expect(nameless.error.type == "Runtime.HandlerNotFound", "\(nameless.body.text)")
                }
            }
        }

        @Test("failing starts close the function after five in a row; it is tried again, and not without end")
        func failingStarts() async throws {
            let manifest = "environment: {FAIL_INIT: exit}\nscale: {min: 1, max: 4}"
            try await run(["exits": manifest]) { host in
                func starts() -> Int {
                    host.log.count { $0["message"]?.stringValue?.hasPrefix("INIT_REPORT") == true }
                }
                for _ in 0..<5 {
                    let told = try await host.lambda("exits", [:])
                    #expect(told.error.type == "Runtime.ExitError", "\(told.body.text)")
                }
                let closed = try await eventually("the closed function") {
                    let answer = try await host.lambda("exits", [:])
                    return answer.status == 500 ? answer : nil
                }
                #expect(closed.body["Type"] == "Service", "\(closed.body.text)")
                #expect(closed.body["Message"]?.stringValue?.contains("keep crashing") == true)
                // A hundred callers have none started: each that is started has told a caller, or is the one of min.
                for _ in 0..<100 { _ = try await host.lambda("exits", [:]) }
                #expect(starts() < 20, "\(starts()) starts")
                _ = try await eventually("another try") {
                    try await host.lambda("exits", [:]).error.type == "Runtime.ExitError" ? true : nil
                }
            }
        }

        @Test("sixteen callers at once have a worker each; with perWorker they share one process tree")
        func parallel() async throws {
            let functions = [
                "wide": "scale: {max: 16}\nlimits: {timeout: 60s}",
                "shared": "scale: {max: 1}\nlimits: {timeout: 60s, perWorker: 4}",
            ]
            try await run(functions) { host in
                let wide = try await meet(16, by: "wide", on: host)
                #expect(wide.count == 16)
                let shared = try await meet(4, by: "shared", on: host)
                #expect(shared.count == 4)
                let workers = try await host.workers(of: "shared")
                #expect(workers.count == 1)
                let reports = host.log.filter { line in
                    line["message"]?.stringValue?.hasPrefix("REPORT") == true
                }
                #expect(reports.count == 20)
            }
        }
    }
}
