import FunctionCore
import LambdaAPI
import Processes
import TestSupport
import Testing

extension Scenarios {
    /// The clients are AWS's own, told nothing but another endpoint.
    @Suite("Lambda clients", .timeLimit(.minutes(10)), HostTrait.fixtures)
    struct LambdaInvokeTests {
        private func boto3(_ scenario: String) async throws {
            let ran = try await Python.run(
                "Lambda/invoke_boto3.py",
                requirements: "Lambda/requirements.txt",
                [try sharedHost().admin, scenario]
            )
            #expect(ran.code == 0, "\(scenario): \(ran.all)")
        }

        @Test("boto3 invokes by name and by ARN, and finds reply, version and request id")
        func replies() async throws { try await boto3("replies") }

        @Test("what a function or its process does wrong is a function error with Lambda's types")
        func faults() async throws { try await boto3("faults") }

        @Test("what the API refuses is raised as the documented exception; a dry run runs nothing")
        func refusals() async throws { try await boto3("refusals") }

        @Test("an event without a waiting caller is a job that runs")
        func events() async throws { try await boto3("events") }

        @Test("the log's end comes with the reply where it is asked for")
        func logs() async throws { try await boto3("logs") }

        @Test("a streamed reply comes as frames, as often as one likes, and tells how it failed")
        func streams() async throws { try await boto3("streams") }

        @Test("sixteen callers have a worker each, and a thousand calls by 64 no error")
        func many() async throws { try await boto3("many") }

        @Test("at its limit a function throttles, and a client that retries gets through")
        func throttles() async throws { try await boto3("throttles") }

        @Test("functions are shown and listed page by page")
        func functions() async throws { try await boto3("functions") }

        @Test("each error is one that botocore's model of the API has, with its status and members")
        func model() async throws {
            let errors = LambdaError.Kind.allCases.map { kind -> JSON in
                [
                    "type": .string(kind.rawValue), "status": .integer(Int64(kind.status)),
                    "message": .string(kind.messageName),
                ]
            }
            let ran = try await Python.run(
                "Lambda/model.py",
                requirements: "Lambda/requirements.txt",
                [JSON.array(errors).text]
            )
            #expect(ran.code == 0, "\(ran.all)")
        }

        @Test("the AWS CLI invokes, lists and shows functions")
        func commandLine() async throws {
            let host = try sharedHost()
            let place = try TemporaryPlace()
            func aws(_ words: String...) async throws -> Ran {
                try await Python.run(
                    "Lambda/aws_cli.py",
                    requirements: "Lambda/requirements.txt",
                    ["lambda"] + words + ["--endpoint-url", host.admin],
                    environment: [
                        "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any",
                        "AWS_DEFAULT_REGION": "us-east-1", "HOME": place.path,
                    ]
                )
            }
            let file = "\(place.path)/reply.json"
            let invoked = try await aws(
                "invoke",
                "--function-name",
                "echo",
                "--payload",
                #"{"a":1}"#,
                "--log-type",
                "Tail",
                file
            )
            #expect(invoked.code == 0 && Text.read(file) == #"{"a":1}"#, "\(invoked.all)")
            #expect(invoked.output.contains(#""ExecutedVersion": "$LATEST""#), "\(invoked.all)")
            let failed = try await aws("invoke", "--function-name", "failing", file)
            #expect(failed.output.contains(#""FunctionError": "Unhandled""#), "\(failed.all)")
            let missing = try await aws("invoke", "--function-name", "nobody", file)
            #expect(missing.code != 0 && missing.errors.contains("ResourceNotFoundException"))
            let list = try await aws("list-functions", "--query", "Functions[].FunctionName")
            #expect(list.output.contains("\"echo\""), "\(list.all)")
        }
    }
}
