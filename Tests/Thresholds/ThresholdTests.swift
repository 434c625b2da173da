import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

/// What an invocation costs in counts, which a busy machine does not change: allocations of host and worker, and their
/// system calls.
///
/// A pool with one worker echoes 300 bytes, 64 in flight, without HTTP (`hop echo`), once longer than the other time: the
/// difference is free of what starting costs. The counts are those of a debug build; a release build's are lower.
@Suite("thresholds", .serialized, .timeLimit(.minutes(5)))
struct ThresholdTests {
    private static let short = 1000
    private static let long = 4000
    private static let inFlight = 64
    private static let runs = 12

    private struct Run {
        var host: Int
        var workers: [Int]
    }

    private func hop(
        _ count: Int,
        through wrapper: [String] = [],
        environment: [String: String] = [:]
    ) async throws -> Run {
        let command =
            wrapper + ["\(Installed.directory)/hop", "echo", "\(count)", "\(ThresholdTests.inFlight)"]
        var spec = ChildSpec(command[0], Array(command.dropFirst()))
        spec.environment.merge(environment) { $1 }
        let ran = try await Ran.run(spec)
        try #require(ran.code == 0, "\(command.joined(separator: " ")): \(ran.all)")
        let told = try #require(try JSON.parse(Bytes(ran.output)).objectValue)
        return Run(
            host: try #require(told["host"]?.intValue.map { Int($0) }),
            workers: try #require(told["workers"]?.arrayValue?.compactMap { $0.intValue.map { Int($0) } })
        )
    }

    /// The counts of a single invocation, from longer and shorter runs.
    ///
    /// The lowest of some runs: a busy machine adds to them, by workers that seem slow, and never takes away.
    private func each(
        _ count: (Int) async throws -> (host: Int, worker: Int)
    ) async throws -> (host: Double, worker: Double) {
        func lowest(_ invocations: Int) async throws -> (host: Int, worker: Int) {
            var lowest = (host: Int.max, worker: Int.max)
            for _ in 0..<ThresholdTests.runs {
                let sums = try await count(invocations)
                lowest = (min(lowest.host, sums.host), min(lowest.worker, sums.worker))
            }
            return lowest
        }
        let (long, short) = (try await lowest(ThresholdTests.long), try await lowest(ThresholdTests.short))
        let more = Double(ThresholdTests.long - ThresholdTests.short)
        return (Double(long.host - short.host) / more, Double(long.worker - short.worker) / more)
    }

    @Test("an invocation allocates no more than it did, in the host and in the worker")
    func allocations() async throws {
        let place = try TemporaryPlace()
        let library = "\(place.path)/count-allocations.so"
        let source = "\(Installed.project)/Tests/Thresholds/count-allocations.c"
        let compiled = try await Ran.run(
            ChildSpec("gcc", ["-O2", "-shared", "-fPIC", "-o", library, source])
        )
        try #require(compiled.code == 0, "gcc: \(compiled.all)")
        var number = 0
        func counted(_ count: Int) async throws -> (host: Int, worker: Int) {
            number += 1
            let folder = "\(place.path)/\(number)"
            mkdir(folder, 0o700)
            let environment = ["LD_PRELOAD": library, "ALLOCATION_COUNTS": folder]
            let run = try await hop(count, environment: environment)
            var sums = (host: 0, worker: 0)
            for name in Text.names(in: folder) {
                let bytes = Text.bytes("\(folder)/\(name)") ?? []
                let value = bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
                if name == "\(run.host)" { sums.host += value } else { sums.worker += value }
            }
            try #require(sums.host > 0 && sums.worker > 0, "nothing was counted: \(sums)")
            return sums
        }
        let figures = try await each(counted)
        // An undisturbed host gives the same number each time; under load some is left even in the lowest.
        try Threshold.check([("allocations an invocation, host's pool", figures.host)], slack: 4)
        try Threshold.check([("allocations an invocation, worker", figures.worker)], slack: 0.5)
    }

    @Test("an invocation takes no more system calls than it did, of which a batch shares most")
    func systemCalls() async throws {
        let place = try TemporaryPlace()
        func counted(_ count: Int) async throws -> (host: Int, worker: Int) {
            let file = "\(place.path)/\(count)"
            let run = try await hop(
                count,
                through: ["strace", "-f", "-qq", "--signal=none", "-Y", "-o", file]
            )
            let text = try #require(Text.read(file), "strace wrote nothing")
            var sums = (host: 0, worker: 0)
            for line in text.split(separator: "\n") where !line.contains(" resumed>") {
                // Threads that look after the others at a pace of their own are not the invocations' doing.
                if line.contains("<late-sender>") || line.contains("<hang-up>") { continue }
                let thread = Int(line.prefix { $0 != "<" && $0 != " " }) ?? 0
                if run.workers.contains(thread) { sums.worker += 1 } else { sums.host += 1 }
            }
            return sums
        }
        let figures = try await each(counted)
        // Far below one, which is what a call for each invocation would add.
        try Threshold.check(
            [
                ("system calls an invocation, host's pool", figures.host),
                ("system calls an invocation, worker", figures.worker),
            ],
            slack: 0.25
        )
    }
}
