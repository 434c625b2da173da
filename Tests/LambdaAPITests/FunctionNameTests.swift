import FunctionCore
import Invocations
import LambdaAPI
import Testing

@Suite("Names of the Lambda API", .timeLimit(.minutes(1)))
struct FunctionNameTests {
    @Test(
        "a function is named by its name, a part of its ARN or all of it, with a qualifier behind it",
        arguments: [
            ("chatbot", "chatbot", nil), ("persona-image", "persona-image", nil),
            ("scripts:create", "scripts", "create"), ("scripts:$LATEST", "scripts", nil),
            ("function:scripts", "scripts", nil), ("123456789012:function:scripts", "scripts", nil),
            ("123456789012:scripts:create", "scripts", "create"),
            ("eu-central-1:123456789012:function:scripts", "scripts", nil),
            ("arn:aws:lambda:us-east-1:000000000000:function:scripts", "scripts", nil),
            ("arn:aws-us-gov:lambda:us-gov-west-1:000000000000:function:scripts:create", "scripts", "create"),
            ("arn:aws-iso:lambda:us-iso-east-1:000000000000:function:a", "a", nil),
            ("arn:aws-eusc:lambda:eusc-de-east-1:000000000000:function:a", "a", nil),
            ("arn:aws:lambda:us-east-1:000000000000:function:scripts:$LATEST", "scripts", nil),
        ] as [(String, String, String?)]
    )
    func forms(text: String, name: String, qualifier: String?) throws {
        let read = try FunctionName(text)
        #expect(read.name == name && read.qualifier == qualifier)
    }

    @Test(
        "what is no name is refused with 400",
        arguments: [
            "", ":", "a:b:c", "a b", "a/b", "../etc", "arn:aws:lambda", "arn:aws:s3:us-east-1:1:function:a",
            "arn:aws:lambda:us-east-1:0000:function:a", "arn:aws:lambda:us-east-1:000000000000:layer:a",
            "a:", ":a", String(repeating: "a", count: 257),
        ]
    )
    func refused(text: String) {
        #expect(throws: LambdaError.self) { try FunctionName(text) }
    }

    @Test("a qualifier may come by itself, and must not contradict the name's")
    func qualifiers() throws {
        #expect(try FunctionName("scripts", qualifier: "create").qualifier == "create")
        #expect(try FunctionName("scripts:create", qualifier: "create").qualifier == "create")
        #expect(try FunctionName("scripts", qualifier: "$LATEST").qualifier == nil)
        #expect(throws: LambdaError.self) { try FunctionName("scripts:create", qualifier: "list") }
    }

    @Test("request ids are UUIDs, one for each invocation")
    func requestIDs() {
        let ids = (0..<10_000).map { _ in InvocationID.next() } + ["a", "b", "schedule:1", ""]
        let uuids = ids.map { InvocationID.uuid(of: $0) }
        #expect(Set(uuids).count == ids.count)
        #expect(uuids.allSatisfy { $0.wholeMatch(of: uuidForm) != nil })
        #expect(InvocationID.uuid(of: ids[7]) == uuids[7])
    }

    private var uuidForm: Regex<Substring> {
        /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
    }
}
