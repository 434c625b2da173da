import FunctionCore
import Testing

@testable import WorkerKit

@Suite(.timeLimit(.minutes(1)))
struct LambdaEnvironmentTests {
    @Test("the handler names the function, and where it likes the operation")
    func readsHandlers() throws {
        #expect(LambdaEnvironment([:]) == nil && LambdaEnvironment(["AWS_LAMBDA_RUNTIME_API": ""]) == nil)
        for (handler, function, operation) in [
            ("motto", "motto", ""), ("persona-image.get", "persona-image", "get"), ("a.b.c", "a", "b.c"),
            ("", "", ""),
        ] {
            let environment = try #require(
                LambdaEnvironment(["AWS_LAMBDA_RUNTIME_API": "a:1", "_HANDLER": handler])
            )
            #expect(environment.function == function && environment.operation == operation)
        }
    }

    @Test(
        "the function sees its own settings, not the platform's; numbers and words that are off are bounded"
    )
    func readsSettings() throws {
        let environment = try #require(
            LambdaEnvironment([
                "AWS_LAMBDA_RUNTIME_API": "a:1", "AWS_SECRET_ACCESS_KEY": "s",
                "LAMBDA_TASK_ROOT": "/var/task",
                "_HANDLER": "f", "TONE": "warm", "AWS_LAMBDA_MAX_CONCURRENCY": "100000",
                "AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "warn",
                "SWIFTLET_INVOKE_MODE": "BUFFERED",
            ])
        )
        #expect(environment.settings == ["TONE": "warm", "SWIFTLET_INVOKE_MODE": "BUFFERED"])
        #expect(environment.concurrency == 64 && environment.logsJSON && environment.logLevel == .warning)
        #expect(environment.root == "/var/task" && !environment.streams)
        let odd = LambdaEnvironment(["AWS_LAMBDA_RUNTIME_API": "a", "AWS_LAMBDA_MAX_CONCURRENCY": "-3"])
        #expect(odd?.concurrency == 1 && odd?.logLevel == .info && odd?.streams == true)
    }

    @Test("an invocation has its id, its time and its trace from the answer's fields")
    func readsInvocations() throws {
        func answer(_ headers: [Header]) -> RuntimeAnswer {
            RuntimeAnswer(status: 200, headers: headers, body: "{}", keepsAlive: true)
        }
        let now = Instant(nanoseconds: 5_000_000_000)
        let trace = Header(
            "Lambda-Runtime-Trace-Id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1"
        )
        let id = Header("Lambda-Runtime-Aws-Request-Id", "r-1")
        let deadline = Header("Lambda-Runtime-Deadline-Ms", "8000")
        let invocation = try #require(RuntimeInvocation(answer([id, deadline, trace]), now: now))
        #expect(invocation.id == "r-1" && invocation.remaining == .seconds(3))
        #expect(invocation.trace?.traceID == "5bef4de7ad49b0e87f6ef6c87fc2e700")
        let late = RuntimeInvocation(answer([id, Header("lambda-runtime-deadline-ms", "1")]), now: now)
        #expect(late?.remaining == .zero)
        #expect(RuntimeInvocation(answer([deadline]), now: now) == nil)
        #expect(RuntimeInvocation(answer([Header("lambda-runtime-aws-request-id", "a/b")]), now: now) == nil)
    }

    @Test("log lines have the form that the function's settings ask for, above its level")
    func logs() {
        let lines = Lines()
        let instant = Instant(seconds: 0)
        for writesJSON in [false, true] {
            let log = LambdaLog(writesJSON: writesJSON, level: .info) { lines.add($0) }
            let logger = log.logger("r-1") { instant }
            logger.debug("unseen")
            logger.warning("two\nlines", ["b": "2", "a": "1", "level": "mine"])
        }
        #expect(
            lines.all == [
                "[WARN] r-1 two\rlines a=1 b=2 level=mine\n",
                #"{"timestamp":"1970-01-01T00:00:00Z","level":"WARN","message":"two\nlines","requestId":"r-1","a":"1","b":"2"}"#
                    + "\n",
            ]
        )
    }

    @Test("a code is an error's type in the header's form")
    func namesTypes() {
        #expect(LambdaAnswering.typeHeader("invalid_input") == "Function.InvalidInput")
        #expect(LambdaAnswering.typeHeader("http2_off") == "Function.Unknown")
        #expect(LambdaAnswering.typeHeader("") == "Function.Unknown")
    }
}
