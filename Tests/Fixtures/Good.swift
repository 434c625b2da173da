import ShopOrders
import FunctionCore
import Glibc

/// Sends the body back with its content type.
struct EchoFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        echoed(event)
    }
}

/// The same in a task.
struct EchoAsyncFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        await Task.yield()
        return echoed(event)
    }
}

/// The same after two milliseconds.
struct EchoSlowlyFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        try await pause(2)
        return echoed(event)
    }
}

/// Keeps the reader thread for `ms` milliseconds.
struct DozeFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        usleep(UInt32(Settings(event).integer("ms", 0)) * 1000)
        return .text("rested")
    }
}

private func echoed(_ event: Event) -> Reply {
    let type = event.request?.headers.first("content-type") ?? "application/octet-stream"
    return Reply(headers: [Header("content-type", type)], body: event.body)
}

/// From one type to another.
struct TypedGreeting: TypedFunction {
    struct Input: Decodable, Sendable {
        var name: String
        var times: Int
    }

    struct Output: Encodable, Sendable {
        var greetings: [String]
        var now: Int64
    }

    func handle(_ input: Input, _ context: Context) async throws -> Output {
        let greetings = (0..<input.times).map { "Good day \(input.name) \($0 + 1)" }
        return Output(greetings: greetings, now: context.now.nanoseconds)
    }
}

/// Reads an order and sends it back.
struct TypedEchoFunction: SynchronousTypedFunction {
    func handle(_ input: ShopOrder, _ context: Context) throws -> ShopOrder { input }
}

/// `events` server-sent events of `size` bytes, `delay` milliseconds apart.
struct StreamFunction: StreamingFunction {
    func handle(_ event: Event, _ context: Context, _ reply: ReplyStream) async throws {
        let settings = Settings(event)
        try reply.start(headers: [.eventStream])
        for index in 0..<settings.integer("events", 3) {
            let number = "\(index):"
            let filling = String(
                repeating: "x",
                count: max(0, settings.integer("size", 16) - number.utf8.count)
            )
            try await reply.event(number + filling)
            try await pause(settings.integer("delay", 0))
        }
    }
}

/// Replies after `ms` milliseconds; stops when it is cancelled and says so in its log.
struct SlowFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        do {
            try await pause(Settings(event).integer("ms", 100))
        } catch {
            context.log.warning("stopped", ["cancelled": "\(context.isCancelled)"])
            throw error
        }
        return .text("\(context.attempt)")
    }
}

/// Keeps a core busy until it is cancelled.
struct BurnFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        var sum: UInt64 = 1
        while !context.isCancelled {
            for _ in 0..<100_000 { sum = sum &* 6_364_136_223_846_793_005 &+ 1 }
        }
        return .text("\(sum)")
    }
}

/// Reads the host's clock `reads` times and tells how often it was off by more than ten minutes.
///
/// It must have been `wall` at the monotonic `origin`, and have run at the real speed since.
struct ClockFunction: AsyncFunction {
    func handle(_ event: Event, _ context: Context) async throws -> Reply {
        let settings = Settings(event)
        let origin = Int64(settings.integer("origin", 0))
        let wall = Int64(settings.integer("wall", 0))
        var torn = 0
        for _ in 0..<settings.integer("reads", 1000) {
            let due = wall + (Monotonic.now.nanoseconds - origin)
            if abs(context.now.nanoseconds - due) > 600_000_000_000 { torn += 1 }
        }
        return .text("\(torn)")
    }
}

/// A reply of `bytes` bytes.
struct BigFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        let count = Settings(event).integer("bytes", 1000)
        return Reply(
            body: Bytes(
                [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                    for index in 0..<count { buffer[index] = UInt8(truncatingIfNeeded: index &* 31) }
                    filled = count
                }
            )
        )
    }
}
