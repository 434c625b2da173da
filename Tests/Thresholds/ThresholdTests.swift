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

    /// The counts of a longer and a shorter run, made into one of a single invocation.
    private func each(
        _ long: (host: Int, worker: Int),
        _ short: (host: Int, worker: Int)
    ) -> (
        host: Double, worker: Double
    ) {
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
        func counted(_ count: Int) async throws -> (host: Int, worker: Int) {
            let folder = "\(place.path)/\(count)"
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
        let figures = each(try await counted(ThresholdTests.long), try await counted(ThresholdTests.short))
        try Threshold.check([
            ("allocations an invocation, host's pool", figures.host),
            ("allocations an invocation, worker", figures.worker),
        ])
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
        let figures = each(try await counted(ThresholdTests.long), try await counted(ThresholdTests.short))
        try Threshold.check([
            ("system calls an invocation, host's pool", figures.host),
            ("system calls an invocation, worker", figures.worker),
        ])
    }
}
