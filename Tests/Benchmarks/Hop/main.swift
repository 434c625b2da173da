import FunctionCore
import Glibc
import Invocations
import NIOCore
import NIOPosix
import WorkerPool

// The hop alone: a pool, one worker of the fixtures' bundle and its echo, without HTTP.
//
//     hop echo COUNT IN_FLIGHT        as many invocations of 300 bytes, so many at once
//     hop payload BYTES ROUNDS        large bodies, one after the other
//
// Writes one line of JSON. `payload` tells 10^9 bytes a second, bytes in and bytes out counted once each, from
// the dispatch to the end of the reply: the median and the best of all rounds; and the host's memory in KiB
// before, after, and when the pool has been idle for a while.

func fail(_ message: String) -> Never {
    let line = "hop: \(message)\n"
    _ = write(2, line, line.utf8.count)
    exit(1)
}

let arguments = CommandLine.arguments.dropFirst().map { Int($0) }
let mode = CommandLine.arguments.dropFirst().first
guard arguments.count == 3, let first = arguments[1], let second = arguments[2], first > 0, second > 0,
    mode == "echo" || mode == "payload"
else { fail("usage: hop echo COUNT IN_FLIGHT | hop payload BYTES ROUNDS") }

let folder = CommandLine.arguments[0].split(separator: "/", omittingEmptySubsequences: false).dropLast()
let bundle = (folder.isEmpty ? "." : folder.joined(separator: "/")) + "/fixtures"
// The tests that count allocations count the worker's as well.
let passedOn = (["LD_PRELOAD", "ALLOCATION_COUNTS"] as [String]).compactMap { name in
    getenv(name).map { (name, String(cString: $0)) }
}

var manifest = Manifest(name: "echo")
manifest.limits.perWorker = 128
manifest.limits.maxInFlight = 256
manifest.scale.max = 1
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let pool = FunctionPool(
    manifest: manifest,
    program: WorkerProgram(
        executable: bundle,
        hash: "hop",
        environment: Dictionary(passedOn, uniquingKeysWith: { $1 })
    ),
    bindings: BindingHost([]),
    loop: group.next(),
    clock: { ClockReading(wall: Instant(nanoseconds: 0), monotonic: .now, speed: 1) },
    report: { report in
        if case .spawnFailed(_, let reason) = report { fail("no worker: \(reason)") }
    }
)

/// Runs `count` invocations, `inFlight` at once, and tells how long that took.
func run(_ body: Bytes, count: Int, inFlight: Int) async throws -> Duration {
    let done = pool.loop.makePromise(of: Void.self)
    let began = Monotonic.now
    pool.loop.execute {
        let course = Lane.Course(count, done)
        let invocation = Invocation(function: "echo", event: Event(body: body))
        for _ in 0..<inFlight { Lane(pool, invocation, course).go() }
    }
    try await done.futureResult.get()
    return Monotonic.now - began
}

/// The resident memory of this process in KiB.
func residentKiB() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, 128, file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 4 } ?? 0
}

do {
    var line: JSONObject = ["host": .integer(Int64(getpid()))]
    if mode == "echo" {
        let body = Bytes([UInt8](repeating: 120, count: 300))
        let took = try await run(body, count: first, inFlight: second)
        line["seconds"] = .number(Double(took.nanoseconds) / 1e9)
    } else {
        let body = Bytes((0..<first).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        _ = try await run(body, count: 3, inFlight: 1)
        line["memoryBefore"] = .integer(Int64(residentKiB()))
        var rates: [Double] = []
        for _ in 0..<second {
            let took = try await run(body, count: 1, inFlight: 1)
            rates.append(Double(2 * first) / Double(took.nanoseconds))
        }
        line["memoryAfter"] = .integer(Int64(residentKiB()))
        try await pool.loop.scheduleTask(in: .milliseconds(1500)) {}.futureResult.get()
        line["memoryIdle"] = .integer(Int64(residentKiB()))
        rates.sort()
        line["gigabytesPerSecond"] = .number(rates[rates.count / 2])
        line["best"] = .number(rates[rates.count - 1])
    }
    let status = try await pool.status().get()
    line["workers"] = .array(status.pids.map { .integer(Int64($0)) })
    try await pool.drain(grace: .seconds(5)).get()
    print(JSON.object(line).text)
    exit(0)
} catch {
    fail("\(error)")
}
