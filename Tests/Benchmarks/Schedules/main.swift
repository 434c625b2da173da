import FunctionCore
import Foundation
import HostKit
import Invocations
import Journal
import NIOCore
import NIOPosix
import Observe
import Scheduling
import Settings

// What `make bench` asks of schedules, printed as a JSON object a line:
//   schedules load COUNT DIRECTORY    writes COUNT schedules into a new journal
//   schedules arm COUNT DIRECTORY     loads them from it and arms them: milliseconds, and the memory it took
//   schedules fire COUNT SPREAD DIRECTORY
//                                     fires COUNT schedules, once each second, SPREAD milliseconds apart in all
//   schedules year                    a year of a rotation and a schedule, simulated

/// Memory of this process that is in use now, in KiB.
func residentKiB() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
    return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
}

/// A mixed set, as files would have it.
func entries(_ count: Int) throws -> [ScheduleEntry] {
    let zones = try ["America/New_York", "Europe/Vienna", "Asia/Tokyo"].map { try TimeZoneRules.load($0) }
    return try (0..<count).map { number in
        let kind: ScheduleEntry.Kind
        switch number % 4 {
        case 0:
            let anchor = Instant(seconds: Int64(number))
            kind = .every(EverySchedule(interval: .seconds(Int64(60 + number % 3_600)), anchor: anchor))
        case 1:
            kind = .cron(try CronExpression("*/\(1 + number % 30) * * * *"), zone: .utc)
        default:
            let text = "\(number % 60) \(number / 60 % 24) * * \(number % 7)"
            kind = .cron(try CronExpression(text), zone: zones[number % 3])
        }
        return ScheduleEntry(id: "s\(number)", function: "f", kind: kind)
    }
}

func emit(_ members: [(String, JSON)]) {
    print(JSON.object(JSONObject(members)).text)
}

let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "load":
    let count = Int(arguments[2]) ?? 0
    let journal = try await HostJournal.open(directory: arguments[3])
    var machine = ScheduleMachine(plan: try SchedulePlan(entries: try entries(count)))
    let now = VirtualClock().now
    while true {
        let actions = machine.react(to: .tick(now: now))
        try await journal.schedules.commit(actions, now: now)
        guard case .wake(let wake)? = actions.last, wake <= now else { break }
    }
    await journal.close()
case "arm":
    let count = Int(arguments[2]) ?? 0
    let empty = residentKiB()
    let journal = try await HostJournal.open(directory: arguments[3])
    let plan = try SchedulePlan(entries: try entries(count))
    let planned = residentKiB()
    let begin = Monotonic.now
    var machine = ScheduleMachine(plan: plan)
    let books = try await journal.schedules.load()
    let loaded = Monotonic.now
    _ = machine.react(to: .restored(books.stored))
    let now = VirtualClock().now
    var wakes = 0
    while true {
        let actions = machine.react(to: .tick(now: now))
        wakes += 1
        guard case .wake(let wake)? = actions.last, wake <= now else { break }
    }
    let armed = Monotonic.now
    emit([
        ("known", .integer(Int64(books.stored.count))), ("load_ms", .number((loaded - begin).milliseconds)),
        ("arm_ms", .number((armed - loaded).milliseconds)), ("ticks", .integer(Int64(wakes))),
        ("plan_mib", .number(Double(planned - empty) / 1024)),
        ("memory_mib", .number(Double(residentKiB() - empty) / 1024)),
    ])
    await journal.close()
case "fire":
    try await fire(Int(arguments[2]) ?? 0, spread: Int(arguments[3]) ?? 0, arguments[4])
default:
    print("schedulebench load COUNT DIR | arm COUNT DIR | fire COUNT SPREAD DIR")
}

/// Runs a scheduler for some seconds over schedules that are each due once a second, and prints how late
/// their runs were on the disk, as the host's own metrics have it.
func fire(_ count: Int, spread: Int, _ directory: String) async throws {
    let files = FileManager.default
    let (functions, schedules) = (directory + "/functions/F", directory + "/schedules")
    for folder in [functions, schedules] {
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    try "name: f\n".write(toFile: functions + "/function.yaml", atomically: false, encoding: .utf8)
    for number in 0..<count {
        let anchor = Instant(nanoseconds: Int64(number) * Int64(spread) * 1_000_000 / Int64(count))
        let text = """
            schedule: s\(number)
            function: f
            every: 1s
            anchor: \(anchor.rfc3339)
            overlap: allow
            """
        try text.write(toFile: "\(schedules)/s\(number).yaml", atomically: false, encoding: .utf8)
    }
    let problems = Problems()
    let project = Project.load(
        functions: directory + "/functions",
        schedules: schedules,
        bundle: nil,
        problems: problems
    )
    guard problems.isEmpty else { return print("\(problems.all)") }
    let journal = try await HostJournal.open(directory: directory)
    let clock = VirtualClock()
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let telemetry = Telemetry(log: LogWriter(path: nil, console: .none), clock: clock)
    let scheduler = Scheduler(
        project: project,
        journal: journal,
        dispatching: Nobody(),
        loop: loop,
        clock: clock,
        tokens: WindowTokens(rotationOf: [:], clock: clock),
        telemetry: telemetry
    )
    let task = Task { await scheduler.run() }
    try await loop.scheduleTask(in: .seconds(6)) {}.futureResult.get()
    await scheduler.stop()
    await task.value
    for line in telemetry.metrics.text().split(separator: "\n")
    where line.hasPrefix("swiftlet_schedule_lateness_seconds_") {
        print(line)
    }
    await journal.close()
}

/// Jobs stay where they are: only their making is measured.
struct Nobody: Dispatching {
    struct Nothing: Dispatched {
        func grant(_ bytes: Int) {}
        func cancel() {}
    }

    func dispatch(_ invocation: consuming Invocation, to sink: any ReplySink) -> any Dispatched { Nothing() }
}
