import FunctionCore
import Glibc
import Recordings
import Wire

/// One event from standard input, handled in this process: for a debugger, and for a look at a handler
/// without a host.
func runInline(_ entries: [FunctionEntry], name: String) -> Never {
    var input = StandardInput()
    let body = input.readAll()
    let context = Context(
        invocation: "inline",
        function: name,
        log: inlineLog,
        bindings: Bindings(NoHost()),
        deadline: Monotonic.now + .seconds(24 * 3600),
        clock: wallClock
    )
    runInline(entries, name: name, Event(body: body), context)
}

/// A recorded invocation once more, in this process, with the clock, the random numbers and the answers that it had.
///
/// It has a day to end, and no call is missed for coming late: somebody may be looking at it.
func runInline(_ entries: [FunctionEntry], name: String, record file: String) -> Never {
    guard let bytes = contents(of: file) else { leave(66, "\(file) cannot be read") }
    let recording: Recording
    do {
        recording = try Recording(bytes)
    } catch {
        leave(65, "\(file): \(error)")
    }
    if let why = recording.incomplete {
        writeAll(2, Array("functions: the recording is not whole: \(why)\n".utf8))
    }
    let context = Context(
        invocation: recording.id,
        function: name,
        attempt: recording.attempt,
        depth: recording.depth,
        trace: recording.traceContext,
        principal: recording.principal,
        fencingToken: recording.fencingToken,
        environment: recordedEnvironment(recording.environment),
        log: inlineLog,
        bindings: Bindings(RecordedCaller(TapePlayer(recording.tape))),
        random: InvocationRandom(seed: recording.seedValue),
        deadline: Monotonic.now + .seconds(24 * 3600),
        clock: RecordedClock(recording.clock).read
    )
    runInline(entries, name: name, recording.event.event(joining: BatchPayload.body), context)
}

/// A recording has no values: they come from this process's environment.
private func recordedEnvironment(_ names: [String]) -> [String: String] {
    LambdaEnvironment.variables().filter { names.contains($0.key) }
}

private let inlineLog = Logger { level, message, metadata in
    let fields = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    writeAll(2, Array("\(level.name): \(message)\(fields)\n".utf8))
}

private func runInline(_ entries: [FunctionEntry], name: String, _ event: Event, _ context: Context) -> Never
{
    guard let entry = entries.first(where: { $0.name == name }) else {
        leave(64, "no function \(name); the bundle has \(entries.map(\.name).joined(separator: ", "))")
    }
    let handler: Handler
    do {
        handler = try entry.make()
    } catch {
        leave(78, "\(name) could not be made: \(error)")
    }
    Task {
        do {
            switch handler {
            case .synchronous(let handle): finish(try handle(event, context))
            case .async(let handle): finish(try await handle(event, context))
            case .batch(let handle): finish(try await Handler.run(event) { try await handle($0, context) })
            case .streaming(let handle):
                try await handle(
                    event,
                    context,
                    ReplyStream(start: { _, _ in }, write: { writeAll(1, $0.array) })
                )
                exit(0)
            }
        } catch {
            let error = FunctionError(describing: error)
            writeAll(1, error.json(invocation: nil).bytes().array + [10])
            exit(1)
        }
    }
    while true { sleep(1000) }
}

private func finish(_ reply: Reply) -> Never {
    writeAll(1, reply.body.array + [10])
    exit(reply.status < 400 ? 0 : 1)
}

/// The real wall clock: inline runs and Lambdas have no host that could give another.
@Sendable
func wallClock() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
}

/// Reads standard input to its end.
private struct StandardInput {
    var descriptor: Int32 = 0

    mutating func readAll() -> Bytes {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        var all: [UInt8] = []
        while true {
            let bytes = readSome(descriptor, into: buffer)
            if bytes.isEmpty { return Bytes(all) }
            all += bytes
        }
    }
}

private func contents(of file: String) -> Bytes? {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var input = StandardInput(descriptor: descriptor)
    return input.readAll()
}

/// Refuses every call: there is no host behind an inline run.
private struct NoHost: BindingCaller {
    func call(_ request: BindingRequest) async throws -> BindingReply {
        throw FunctionError(
            status: 501,
            code: "binding_not_available",
            message: "an inline run has no host, so `\(request.binding)` is not there; use `swiftlet invoke`"
        )
    }
}
