import FunctionCore
import LambdaEvents
import Testing

@Suite(.timeLimit(.minutes(1)))
struct InvocationFaultTests {
    @Test("a fault is read in the forms that runtimes send, and written in Lambda's")
    func readsAndWrites() {
        let python: Bytes = #"""
            {"errorMessage":"no","errorType":"ValueError","requestId":"r","stackTrace":["  File \"a.py\"\n",7]}
            """#
        let fault = InvocationFault(python)
        #expect(
            fault
                == InvocationFault(type: "ValueError", message: "no", stackTrace: ["  File \"a.py\"\n", "7"])
        )
        let expected: JSON = [
            "errorMessage": "no", "errorType": "ValueError", "stackTrace": ["  File \"a.py\"\n", "7"],
        ]
        #expect(fault.json == expected)
        #expect(InvocationFault(#"{"stackTrace":"at x"}"#).stackTrace == ["at x"])
        #expect(InvocationFault("oops") == InvocationFault(type: "Function.Unknown", message: "oops"))
        #expect(InvocationFault("").type == "Function.Unknown")
    }

    @Test("an error of ours is a fault whose type is its code, with all its faults in the message")
    func takesErrors() {
        let error = FunctionError.invalid([
            Fault("a", "range", "too big"), Fault("b", "required", "is missing"),
        ])
        let fault = InvocationFault(error)
        #expect(fault.type == "invalid_input")
        #expect(fault.message == "2 faults; see `faults`; a: too big; b: is missing")
    }

    @Test(
        "the header's value is one that Lambda takes",
        arguments: [
            ("Runtime.ExitError", "Runtime.ExitError"), ("Function.Bad", "Function.Bad"),
            ("Function.bad", "Function.Unknown"), ("Function.A1", "Function.Unknown"),
            ("Runtime.", "Runtime.Unknown"),
            ("RuntimeError", "Runtime.Unknown"), ("Runtime.A", "Runtime.Unknown"), ("", "Runtime.Unknown"),
        ]
    )
    func limitsTypes(_ type: String, _ value: String) {
        #expect(InvocationFault.headerValue(type) == value)
    }

    @Test("a trace's header is read and written")
    func readsTraces() {
        let header = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1"
        let trace = TraceContext(xray: header + ";Lineage=a:b=c:0")
        #expect(trace?.traceparent == "00-5bef4de7ad49b0e87f6ef6c87fc2e700-9a9197af755a6419-01")
        #expect(trace?.xray == header)
        let bare = TraceContext(xray: "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700")
        #expect(bare?.traceID == "5bef4de7ad49b0e87f6ef6c87fc2e700" && bare?.sampled == false)
        for broken in [
            "", "Root=", "Root=1-5bef4de7", "Root=2-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            "Root=1-zbef4de7-ad49b0e87f6ef6c87fc2e700", "Root=1-00000000-000000000000000000000000",
            header.replacing("9a91", with: "9a9"),
        ] {
            #expect(TraceContext(xray: broken) == nil)
        }
    }
}
