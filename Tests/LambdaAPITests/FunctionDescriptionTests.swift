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
        #expect(configuration?["FunctionArn"] == "arn:aws:lambda:us-east-1:123456789012:function:echo")
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
}
