import FunctionCore
import Invocations
import NIOCore

/// Functions in process: a script is called on the connection's loop, and each run records what the gateway
/// asks of it.
final class FakeFunctions: Dispatching {
    typealias Script = @Sendable (Invocation, any ReplySink, FakeRun) -> Void

    let runs = Watched<[FakeRun]>([])
    private let script: Script

    init(_ script: @escaping Script) {
        self.script = script
    }

    /// Answers with the body it was given.
    static func echo() -> FakeFunctions {
        FakeFunctions { invocation, sink, _ in
            sink.reply(headers: [.json], invocation.event.body)
        }
    }

    /// Ends as told, without a reply.
    static func ending(_ outcome: Outcome) -> FakeFunctions {
        FakeFunctions { _, sink, _ in sink.end(outcome) }
    }

    func dispatch(_ invocation: Invocation, to sink: any ReplySink) -> any Dispatched {
        let run = FakeRun(invocation, sink)
        runs.update { $0.append(run) }
        script(invocation, sink, run)
        return run
    }

    /// Waits for the run of that number, from 1.
    func run(_ number: Int) async -> FakeRun {
        await runs.wait { $0.count >= number }[number - 1]
    }
}

/// One dispatched invocation.
final class FakeRun: Dispatched {
    let invocation: Invocation
    let sink: any ReplySink
    let granted = Watched(0)
    let isCancelled = Watched(false)

    init(_ invocation: Invocation, _ sink: any ReplySink) {
        self.invocation = invocation
        self.sink = sink
    }

    func grant(_ bytes: Int) { granted.update { $0 += bytes } }
    func cancel() { isCancelled.update { $0 = true } }

    /// Does something on the sink's loop, and returns when it is done.
    func act(_ body: @escaping @Sendable (any ReplySink) -> Void) async throws {
        try await sink.eventLoop.submit { [sink] in body(sink) }.get()
    }
}

extension ReplySink {
    func chunk(_ text: String) { chunk(ByteBuffer(string: text)) }

    /// A whole reply in one go.
    func reply(status: Int = 200, headers: [Header] = [], _ body: Bytes = Bytes()) {
        head(status: status, headers: headers)
        if !body.isEmpty { chunk(ByteBuffer(bytes: body.array)) }
        end(.replied(status: status))
    }
}
