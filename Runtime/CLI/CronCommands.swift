import ArgumentParser
import FunctionCore
import HostKit
import Scheduling

/// `swiftlet cron`.
struct Cron: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says when a cron expression is due, without a host.",
        subcommands: [Next.self]
    )

    /// `swiftlet cron next`.
    struct Next: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the next times of an expression, in UTC and by its zone's clock.",
            discussion: """
                With --batch the questions are read from standard input, a JSON object a line with the members \
                expr, zone, from and count, and if wanted dst and dialect. Each is answered by a line: a JSON \
                array of UTC instants, or an object with the member error. An expression that is due less \
                often up to the end of 2199 gets a shorter answer.
                """
        )

        @Argument(help: "Such as \"30 9 * * 1-5\"; five, six or seven fields.") var expression: String?
        @Option(help: "The zone whose clock is read. Default: UTC.") var zone: String?
        @Option(help: "The instant behind which the times lie; itself excluded. Default: now.")
        var from: String?
        @Option(help: "How many, 0 to \(CronQuestion.countLimit).") var count = 5
        @Option(help: "What a change of the clock does: cron, skip, shift, both or utc.") var dst = "cron"
        @Option(help: "How the expression is read: vixie or quartz.") var dialect = "vixie"
        @Flag(help: "Answer the questions of standard input.") var batch = false
        @Flag(help: "Print one JSON array.") var json = false

        func run() {
            var zones = TimeZoneDatabase()
            if batch { return CronBatch.run(&zones) }
            guard let expression else {
                leave(64, "write an expression, such as swiftlet cron next \"30 9 * * 1-5\", or --batch")
            }
            do throws(SchedulingError) {
                let question = try CronQuestion(
                    expression: expression,
                    zone: zone,
                    from: from,
                    count: count,
                    dst: dst,
                    dialect: dialect,
                    zones: &zones
                )
                if json { return writeOut(Bytes(question.json + [10])) }
                for instant in question.times { print(question.line(instant)) }
                if let warning = question.cron.warning { writeError(warning) }
            } catch {
                leave(64, error.message)
            }
        }
    }
}

/// A question for the next times of an expression, found to make sense.
struct CronQuestion {
    /// More times than this are not given in one answer.
    static let countLimit = 100_000

    let cron: CronExpression
    private let zone: TimeZoneRules
    private let from: Instant
    private let count: Int

    /// - Throws: with the member or option that is wrong, and what is allowed.
    init(
        expression: String,
        zone: String?,
        from: String?,
        count: Int,
        dst: String,
        dialect: String,
        zones: inout TimeZoneDatabase
    ) throws(SchedulingError) {
        guard let policy = CronDaylightPolicy(rawValue: dst) else {
            throw CronQuestion.wrong("dst \"\(dst)\" is not known: write cron, skip, shift, both or utc")
        }
        guard let dialect = CronDialect(rawValue: dialect) else {
            throw CronQuestion.wrong("dialect \"\(dialect)\" is not known: write vixie or quartz")
        }
        guard 0...CronQuestion.countLimit ~= count else {
            throw CronQuestion.wrong("count \(count) is not within 0 to \(CronQuestion.countLimit)")
        }
        cron = try CronExpression(expression, dialect: dialect, daylight: policy)
        self.zone = try zones.zone(cron.zoneName(agreeingWith: zone), now: .now)
        self.count = count
        guard let from else {
            self.from = VirtualClock().now
            return
        }
        self.from = try Instant(text: from) { name throws(SchedulingError) in
            try zones.zone(name, now: .now)
        }
    }

    static func wrong(_ message: String) -> SchedulingError { SchedulingError(.cronInvalid, message) }

    var times: some Sequence<Instant> {
        sequence(first: from) { cron.next(after: $0, zone: zone) }.dropFirst().prefix(count)
    }

    /// The times as a JSON array of UTC instants.
    var json: [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for instant in times {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(UInt8(ascii: "\""))
            bytes += instant.rfc3339.utf8
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    /// A time in UTC and by the zone's clock.
    func line(_ instant: Instant) -> String {
        guard zone.name != "UTC" else { return instant.rfc3339 }
        let offset = zone.offset(at: instant) / 60
        let (hours, minutes) = abs(offset).quotientAndRemainder(dividingBy: 60)
        let digits = [hours, minutes].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        let local = "\(zone.civilTime(at: instant))\(offset < 0 ? "-" : "+")\(digits)"
        return "\(instant.rfc3339)  \(local) \(zone.name)"
    }
}
