import FunctionCore
import LambdaEvents

/// The end of an invocation's log as Lambda shows it: START, what the function said, END, REPORT.
package struct LogTail: Sendable, Hashable {
    /// Bytes that a caller gets.
    package static let bytesMax = 4096

    private var text: [UInt8] = []
    private var isBegun = false
    /// Whether the lines of the invocation's end are there.
    package private(set) var isEnded = false

    package init() {}

    /// Takes a line; of many only the last ones are kept.
    package mutating func add(_ line: String) {
        // A Lambda runtime's platform writes these lines itself, and again for another attempt.
        if line.hasPrefix("START RequestId: ") {
            isBegun = isBegun || text.isEmpty
            isEnded = false
        } else if isBegun, line.hasPrefix("REPORT RequestId: ") {
            isEnded = true
        }
        text += line.utf8.suffix(LogTail.bytesMax)
        text.append(10)
        if text.count > 4 * LogTail.bytesMax { text.removeFirst(text.count - LogTail.bytesMax) }
    }

    /// What a caller gets, in Base64.
    ///
    /// `fault` is how the platform ended the invocation at `now`, where it did.
    package func result(
        request: String,
        _ report: LambdaLines.Report?,
        fault: PlatformFault? = nil,
        at now: Instant
    ) -> String {
        var all: [UInt8] = []
        func add(_ line: String) { all += "\(line)\n".utf8 }
        if !isBegun { add(LambdaLines.start(request)) }
        all += text
        if !isEnded {
            for line in fault?.lines(for: request, at: now) ?? [] { add(line) }
            add(LambdaLines.end(request))
            if var report {
                report.end = fault?.end ?? .success
                if fault == .outOfMemory { report.maxMemoryMiB = report.memoryMiB }
                add(LambdaLines.report(request, report))
            }
        }
        return Bytes(Array(all.suffix(LogTail.bytesMax))).base64
    }
}
