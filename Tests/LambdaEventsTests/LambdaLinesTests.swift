import FunctionCore
import LambdaEvents
import Testing

@Suite("Lines and words of the platform", .timeLimit(.minutes(1)))
struct LambdaLinesTests {
    @Test("a start that failed has a line of its own")
    func starts() {
        #expect(
            LambdaLines.initReport(.milliseconds(154), .error("Runtime.ExitError"))
                == "INIT_REPORT Init Duration: 154.00 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError"
        )
        #expect(
            LambdaLines.initReport(.seconds(10), .timeout)
                == "INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout"
        )
    }

    @Test("an end of the process is told in AWS's words, with the request's id for the caller")
    func faults() {
        #expect(PlatformFault.exited("exit status 0").message == "Runtime exited without providing a reason")
        #expect(
            PlatformFault.exited("exit status 127").document(for: "r").text
                == #"{"errorType":"Runtime.ExitError","#
                + #""errorMessage":"RequestId: r Error: Runtime exited with error: exit status 127"}"#
        )
        #expect(
            PlatformFault.timedOut(after: .milliseconds(1500)).document(for: "r").text
                == #"{"errorType":"Sandbox.Timedout","#
                + #""errorMessage":"RequestId: r Error: Task timed out after 1.50 seconds"}"#
        )
    }
}
