import FunctionCore
import Glibc
import Scheduling

/// Answers questions from standard input, a line each, as they come.
enum CronBatch {
    /// A longer line is answered by an error, and not kept.
    private static let lineLimit = 65_536

    static func run(_ zones: inout TimeZoneDatabase) {
        var line: [UInt8] = []
        var isTooLong = false
        var answers: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: lineLimit)
        while true {
            let count = read(0, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            var isFirst = true
            for part in buffer[..<count].split(separator: 10, omittingEmptySubsequences: false) {
                // Each part but the first stands behind the end of a line.
                if !isFirst {
                    answers += answer(line, isTooLong, &zones)
                    line.removeAll(keepingCapacity: true)
                    isTooLong = false
                    if answers.count > 1 << 20 { flush(&answers) }
                }
                isFirst = false
                isTooLong = isTooLong || line.count + part.count > lineLimit
                if !isTooLong { line += part }
            }
            flush(&answers)
        }
        if !line.isEmpty || isTooLong { answers += answer(line, isTooLong, &zones) }
        flush(&answers)
    }

    private static func flush(_ answers: inout [UInt8]) {
        writeOut(Bytes(answers))
        answers.removeAll(keepingCapacity: true)
    }

    private static func answer(_ line: [UInt8], _ isTooLong: Bool, _ zones: inout TimeZoneDatabase) -> [UInt8]
    {
        do throws(SchedulingError) {
            if isTooLong { throw CronQuestion.wrong("the line is longer than \(lineLimit) bytes") }
            return try question(line, &zones).json + [10]
        } catch {
            return JSON.object(["error": .string(error.message)]).bytes().array + [10]
        }
    }

    private static func question(
        _ line: [UInt8],
        _ zones: inout TimeZoneDatabase
    ) throws(SchedulingError) -> CronQuestion {
        let members: JSON
        do {
            members = try JSON.parse(Bytes(line))
        } catch {
            throw CronQuestion.wrong("the line is no JSON: \(error)")
        }
        func text(_ name: String) throws(SchedulingError) -> String? {
            guard let member = members[name], !member.isNull else { return nil }
            guard let text = member.stringValue else { throw CronQuestion.wrong("\(name) must be a string") }
            return text
        }
        guard let expression = try text("expr") else {
            throw CronQuestion.wrong("expr is missing: write {\"expr\", \"zone\", \"from\", \"count\"}")
        }
        guard let count = members["count"].map({ $0.intValue }) ?? 1 else {
            throw CronQuestion.wrong("count must be a whole number from 0 to \(CronQuestion.countLimit)")
        }
        return try CronQuestion(
            expression: expression,
            zone: text("zone"),
            from: text("from"),
            count: count,
            dst: text("dst") ?? "cron",
            dialect: text("dialect") ?? "vixie",
            zones: &zones
        )
    }
}
