import FunctionCore

/// The end of an invocation's log as Lambda shows it: START, what the function said, END, REPORT.
package struct LogTail: Sendable, Hashable {
    /// What is known of the invocation at its end.
    package struct Report: Sendable, Hashable {
        package var ran: Duration
        /// From the arrival to the worker's having it, where a worker was started for it.
        package var start: Duration?
        package var memoryMiB: Int
        /// The most that the worker ever had.
        package var usedMiB: Int?

        package init(ran: Duration, start: Duration? = nil, memoryMiB: Int, usedMiB: Int? = nil) {
            self.ran = ran
            self.start = start
            self.memoryMiB = memoryMiB
            self.usedMiB = usedMiB
        }
    }

    /// Bytes that a caller gets.
    package static let bytesMax = 4096

    private var text: [UInt8] = []

    package init() {}

    /// Takes a line; of many only the last ones are kept.
    package mutating func add(_ line: String) {
        text += line.utf8.suffix(LogTail.bytesMax)
        text.append(10)
        if text.count > 4 * LogTail.bytesMax { text.removeFirst(text.count - LogTail.bytesMax) }
    }

    /// What a caller gets, in Base64.
    package func result(request: String, _ report: Report?) -> String {
        var all: [UInt8] = []
        let start = "START RequestId: \(request)"
        // A Lambda runtime has written these lines itself.
        if text.starts(with: start.utf8) { return Bytes(Array(text.suffix(LogTail.bytesMax))).base64 }
        all += "\(start) Version: $LATEST\n".utf8
        all += text
        all += "END RequestId: \(request)\n".utf8
        if let report { all += LogTail.line(request, report).utf8 }
        return Bytes(Array(all.suffix(LogTail.bytesMax))).base64
    }

    private static func line(_ request: String, _ report: Report) -> String {
        let billed = Int64((report.ran / .milliseconds(1)).rounded(.up))
        var fields = [
            "REPORT RequestId: \(request)", "Duration: \(milliseconds(report.ran)) ms",
            "Billed Duration: \(billed) ms", "Memory Size: \(report.memoryMiB) MB",
        ]
        if let used = report.usedMiB { fields.append("Max Memory Used: \(used) MB") }
        if let start = report.start { fields.append("Init Duration: \(milliseconds(start)) ms") }
        return fields.joined(separator: "\t") + "\t\n"
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let hundredths = Int64((duration / .microseconds(10)).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
