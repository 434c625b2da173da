import FunctionCore
import LambdaAPI
import LambdaEvents
import Testing

@Suite("Log tails of the Lambda API", .timeLimit(.minutes(1)))
struct LogTailTests {
    private let report = LambdaLines.Report(
        duration: .microseconds(3010),
        memoryMiB: 128,
        maxMemoryMiB: 36,
        start: .microseconds(110_100)
    )

    private func text(_ tail: LogTail, _ fault: PlatformFault? = nil) -> String {
        let result = tail.result(request: "r", report, fault: fault, at: Instant(nanoseconds: 1_500_000))
        return Bytes(base64: result)?.text ?? ""
    }

    @Test("a log is START, the lines, END and REPORT, and of all that the last four kilobytes")
    func logs() {
        var tail = LogTail()
        tail.add("said")
        let expected =
            "START RequestId: r Version: $LATEST\nsaid\nEND RequestId: r\n"
            + "REPORT RequestId: r\tDuration: 3.01 ms\tBilled Duration: 4 ms\tMemory Size: 128 MB\t"
            + "Max Memory Used: 36 MB\tInit Duration: 110.10 ms\t\n"
        #expect(text(tail) == expected)
        for index in 0..<2000 { tail.add("line \(index) of many") }
        let long = text(tail)
        #expect(long.utf8.count == LogTail.bytesMax)
        #expect(long.contains("line 1999 of many\nEND RequestId: r\n"))
    }

    @Test("how the platform ended the invocation stands before END, and in REPORT")
    func faults() {
        let late = text(LogTail(), .timedOut(after: .seconds(3)))
        #expect(
            late.contains(
                "\n1970-01-01T00:00:00.001Z r Task timed out after 3.00 seconds\nEND RequestId: r\n"
            )
        )
        #expect(late.hasSuffix("\tInit Duration: 110.10 ms\tStatus: timeout\n"))
        let killed = text(LogTail(), .exited("signal: killed"))
        let lines = "RequestId: r Error: Runtime exited with error: signal: killed\nRuntime.ExitError\nEND"
        #expect(killed.contains(lines))
        #expect(killed.hasSuffix("\tStatus: error\tError Type: Runtime.ExitError\n"))
        #expect(text(LogTail(), .outOfMemory).hasSuffix("\tError Type: Runtime.OutOfMemory\n"))
    }

    @Test("a Lambda runtime's own lines are not written twice, also where the first are cut off")
    func foreign() {
        var tail = LogTail()
        tail.add("START RequestId: r Version: $LATEST")
        #expect(text(tail, .timedOut(after: .seconds(3))).split(separator: "\n").count == 4)
        for index in 0..<2000 { tail.add("line \(index) of many") }
        for line in ["END RequestId: r", "REPORT RequestId: r\tDuration: 1.00 ms\t"] { tail.add(line) }
        let long = text(tail, .timedOut(after: .seconds(3)))
        #expect(long.split(separator: "\n").count { $0.hasPrefix("REPORT") } == 1)
        #expect(!long.contains("START") && !long.contains("Task timed out"))
        #expect(tail.isEnded)
        tail.add("START RequestId: r Version: $LATEST")
        #expect(!tail.isEnded)
    }
}
