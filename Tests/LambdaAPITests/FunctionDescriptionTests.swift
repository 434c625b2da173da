import FunctionCore
import Invocations
import LambdaAPI
import Testing

@Suite("Descriptions and logs of the Lambda API", .timeLimit(.minutes(1)))
struct FunctionDescriptionTests {
    private func describe(_ name: String) -> FunctionDescription {
        var manifest = Manifest(name: name)
        manifest.summary = "A fixture."
        manifest.environment = ["KEY": "secret"]
        manifest.limits.timeout = .milliseconds(2500)
        manifest.limits.reserved = 3
        let changed = Instant(rfc3339: "2026-11-20T14:25:00.75Z") ?? Instant(nanoseconds: 0)
        return FunctionDescription(manifest, .init(bytes: 12, hash: [1, 2, 3], changed: changed))
    }

    @Test("a function tells its limits, its code's size and hash, and nothing of its environment")
    func configuration() {
        let whole = describe("echo").whole
        let configuration = whole["Configuration"]
        #expect(configuration?["FunctionArn"] == "arn:aws:lambda:us-east-1:000000000000:function:echo")
        #expect(configuration?["Timeout"] == 3 && configuration?["MemorySize"] == 256)
        #expect(configuration?["CodeSha256"] == "AQID" && configuration?["CodeSize"] == 12)
        #expect(configuration?["LastModified"] == "2026-11-20T14:25:00.000+0000")
        #expect(whole["Concurrency"]?["ReservedConcurrentExecutions"] == 3)
        #expect(!whole.text.contains("secret"))
    }

    @Test("a function that a foreign runtime runs has that runtime's handler")
    func foreignHandler() {
        var description = describe("greet")
        #expect(description.configuration["Handler"] == "greet")
        description.manifest.foreign = .init(
            command: ["python3"],
            handler: "app.handler",
            folder: "Functions/greet"
        )
        #expect(description.configuration["Handler"] == "app.handler")
    }

    @Test("a list comes by name, page by page")
    func pages() throws {
        let all = ["c", "a", "b"].map(describe)
        func names(_ marker: String?, _ size: String?) throws -> ([String], String?) {
            let page = try FunctionDescription.page(all, marker: marker, maxItems: size)
            let names = page["Functions"]?.arrayValue?.compactMap { $0["FunctionName"]?.stringValue }
            return (names ?? [], page["NextMarker"]?.stringValue)
        }
        #expect(try names(nil, nil) == (["a", "b", "c"], nil))
        #expect(try names(nil, "2") == (["a", "b"], "b"))
        #expect(try names("b", "2") == (["c"], nil))
        #expect(try names("z", nil) == ([], nil))
        #expect(throws: LambdaError.self) { try names(nil, "0") }
        #expect(throws: LambdaError.self) { try names(nil, "many") }
    }

    @Test("a log is START, the lines, END and REPORT, and of all that the last four kilobytes")
    func logs() throws {
        var tail = LogTail()
        tail.add("said")
        let report = LogTail.Report(
            ran: .microseconds(3010),
            start: .microseconds(110_100),
            memoryMiB: 128,
            usedMiB: 36
        )
        let expected =
            "START RequestId: r Version: $LATEST\nsaid\nEND RequestId: r\n"
            + "REPORT RequestId: r\tDuration: 3.01 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\t"
            + "Max Memory Used: 36 MB\tInit Duration: 110.10 ms\t\n"
        #expect(Bytes(base64: tail.result(request: "r", report))?.text == expected)
        for index in 0..<2000 { tail.add("line \(index) of many") }
        let long = try #require(Bytes(base64: tail.result(request: "r", report)))
        #expect(long.count == LogTail.bytesMax)
        #expect(long.text.contains("line 1999 of many\nEND RequestId: r\n"))
    }

    @Test("a Lambda runtime's own lines are not written twice")
    func foreign() {
        var tail = LogTail()
        for line in ["START RequestId: r Version: $LATEST", "END RequestId: r", "REPORT RequestId: r"] {
            tail.add(line)
        }
        let text = Bytes(base64: tail.result(request: "r", nil))?.text ?? ""
        #expect(text.split(separator: "\n").count == 3)
    }
}
