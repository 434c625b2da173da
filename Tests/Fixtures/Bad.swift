import FunctionCore
import Glibc

/// Traps: before it replies, or with `after: "head"` or `"piece"` in the midst of a
/// reply; from attempt `until` on it replies.
struct CrashFunction: StreamingFunction {
    func handle(_ event: Event, _ context: Context, _ reply: ReplyStream) async throws {
        let settings = Settings(event)
        if context.attempt >= settings.integer("until", .max) {
            try await reply.send(.text("attempt \(context.attempt)"))
            return
        }
        switch settings.text("after") {
        case "head": try reply.start()
        case "piece": try await reply.write("a piece")
        case "none":
            try await reply.send(.text("no crash"))
            return
        default: break
        }
        fatalError("told to crash")
    }
}

/// Never returns and ignores that it is cancelled, or, in the mode `cooperative`, returns once it is.
///
/// `ms` limits the first.
struct HangFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        if Settings(event).text("mode") == "cooperative" {
            while !context.isCancelled { try? await pause(5) }
            return .text("stopped")
        }
        let milliseconds = Settings(event).integer("ms", .max)
        let end = milliseconds == .max ? nil : Monotonic.now + .milliseconds(milliseconds)
        while end.map({ Monotonic.now < $0 }) ?? true {
            // In a task of its own: a sleep returns at once when its own task is cancelled.
            await withCheckedContinuation { continuation in
                Task.detached {
                    try? await pause(5)
                    continuation.resume()
                }
            }
        }
        return .text("done")
    }
}

/// Keeps the reader thread busy and never returns; `deaf` ignores SIGTERM as well.
struct BusyFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        if Settings(event).text("mode") == "quick" { return .text("quick") }
        if Settings(event).text("mode") == "deaf" { signal(SIGTERM, SIG_IGN) }
        while true { usleep(1000) }
    }
}

/// Prints to both outputs and logs.
struct PrintFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        let text = Settings(event).text("text")
        print("out \(text)")
        let line = Array("err \(text)\n".utf8)
        _ = write(2, line, line.count)
        context.log.info("log \(text)", ["key": "value"])
        context.log.debug("detail")
        return .text("printed")
    }
}

/// Ends its process in the midst of an invocation.
struct LeaveFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        if Settings(event).text("mode") == "stay" { return .text("stayed") }
        exit(0)
    }
}

/// Writes what is no frame into its own channel.
struct GarbageFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        let settings = Settings(event)
        switch settings.text("mode") {
        case "none": return .text("clean")
        case "wait":
            try await pause(settings.integer("ms", 300))
            return .text("waited")
        case "oversize": inject([255, 255, 255, 127, 4, 0, 0, 0, 1, 0, 0, 0])
        case "status": inject([4, 0, 0, 0, 4, 1, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0])
        case "twice":
            for _ in 0..<2 { inject([4, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 200, 0, 0, 0]) }
        case "elsewhere":
            // A reply whose body begins at the end of the shared region.
            inject([12, 0, 0, 0, 4, 5, 0, 0, 1, 0, 0, 0, 200, 0, 0, 0, 0, 240, 255, 1, 0, 0, 16, 0])
        case "foreign":
            // The end of an invocation that this worker does not have.
            let id = UInt8(truncatingIfNeeded: settings.integer("id", 0))
            inject([0, 0, 0, 0, 6, 0, 0, 0, id, 0, 0, 0])
            return .text("said")
        default: inject([UInt8](repeating: 0xAB, count: 4096))
        }
        try? await pause(60_000)
        return .text("never")
    }

    private func inject(_ bytes: [UInt8]) {
        _ = write(3, bytes, bytes.count)
    }
}

/// Closes its channel, or shuts it down, and runs on.
struct CloseFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        switch Settings(event).text("mode") {
        case "none": return .text("open")
        case "shutdown": shutdown(3, Int32(SHUT_WR))
        default: close(3)
        }
        try? await pause(60_000)
        return .text("never")
    }
}

/// Cannot be made: throws, traps or takes for ever, as the environment says.
struct StartCrashFunction: SynchronousFunction {
    init() throws {
        switch environment("START") {
        case "trap": fatalError("told to crash at the start")
        case "hang": while true { sleep(1) }
        case "good": break
        default: throw FunctionError(code: "not_configured", message: "set START; this is a test")
        }
    }

    func handle(_ event: Event, _ context: Context) throws -> Reply { .text("started") }
}

/// Fails as the event says.
struct FailingFunction: AsyncFunction {
    struct Odd: Error {}

    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        let settings = Settings(event)
        switch settings.text("mode") {
        case "unhandled": throw Odd()
        case "status": return Reply(status: settings.integer("status", 99))
        case "long":
            throw FunctionError(code: "long", message: String(repeating: "long ", count: 5_000_000))
        default:
            let fault = Fault("name", "required", "write a name")
            throw FunctionError(
                status: 422,
                code: "told_to",
                message: "told to",
                faults: [fault],
                retry: .after(.seconds(7))
            )
        }
    }
}
