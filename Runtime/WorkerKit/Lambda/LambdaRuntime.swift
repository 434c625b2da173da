import CShims
import FunctionCore
import Glibc
import LambdaEvents
import Synchronization

/// The loop of a custom runtime: a bundle that AWS Lambda starts as its `bootstrap`.
///
/// A loop is a thread with a connection of its own: next event, handler, answer. There is one, or as many as
/// AWS_LAMBDA_MAX_CONCURRENCY says. SIGTERM ends the process when no invocation runs.
final class LambdaRuntime: Sendable {
    private struct State {
        var running = 0
        var isEnding = false
    }

    private let environment: LambdaEnvironment
    private let invocations: LambdaInvocations
    private let state = Mutex(State())

    private init(_ environment: LambdaEnvironment, _ handler: Handler) {
        self.environment = environment
        let routes = readFile("\(environment.root)/functions.json").flatMap {
            LambdaRoutes($0, of: environment.function)
        }
        invocations = LambdaInvocations(handler: handler, environment: environment, routes: routes)
    }

    /// Serves the Runtime API for good.
    static func run(_ entries: [FunctionEntry], _ environment: LambdaEnvironment) -> Never {
        swiftlet_line_buffer_output()
        let names = entries.map(\.name).joined(separator: ", ")
        guard let entry = entries.first(where: { $0.name == environment.function }) else {
            let message =
                "the handler names no function of the bundle: `\(environment.function)`; it has \(names)"
            refuse(InvocationFault(type: "Runtime.HandlerNotFound", message: message), environment)
        }
        let handler: Handler
        do {
            handler = try entry.make()
        } catch {
            let message = "\(entry.name) could not be made: \(error)"
            refuse(InvocationFault(type: "Function.InitError", message: message), environment)
        }
        let runtime = LambdaRuntime(environment, handler)
        runtime.watchForEnd()
        for _ in 1..<environment.concurrency {
            // SAFETY: balanced by `takeRetainedValue` on the thread.
            let argument = Unmanaged.passRetained(runtime).toOpaque()
            startThread(argument, stack: 8 * 1024 * 1024) { argument in
                // SAFETY: the pointer was made above, for this thread alone.
                if let argument { Unmanaged<LambdaRuntime>.fromOpaque(argument).takeRetainedValue().loop() }
                return nil
            }
        }
        runtime.loop()
    }

    /// Says why nothing can be served, to the platform and in the log, and leaves.
    private static func refuse(_ fault: InvocationFault, _ environment: LambdaEnvironment) -> Never {
        let headers = [
            Header("content-type", "application/json"),
            Header("lambda-runtime-function-error-type", InvocationFault.headerValue(fault.type)),
        ]
        let connection = RuntimeConnection(environment.address)
        _ = try? connection.exchange("POST", "/runtime/init/error", headers, body: fault.json.bytes())
        leave(1, fault.message)
    }

    private func loop() -> Never {
        let connection = RuntimeConnection(environment.address)
        do {
            while true {
                let answer = try connection.exchange("GET", "/runtime/invocation/next")
                guard answer.status == 200, let invocation = RuntimeInvocation(answer, now: wallClock())
                else {
                    throw RuntimeFault(description: "the next event came with status \(answer.status)")
                }
                state.withLock { $0.running += 1 }
                let refusal = try invocations.run(invocation, on: connection)
                if let refusal { writeAll(2, Array("\(invocation.id) \(refusal)\n".utf8)) }
                let isOver = state.withLock { state in
                    state.running -= 1
                    return state.isEnding && state.running == 0
                }
                if isOver { exit(0) }
            }
        } catch {
            leave(1, "the Runtime API failed: \(error)")
        }
    }

    /// Waits for SIGTERM on a thread of its own; before any other is there, so that all of them have it masked.
    private func watchForEnd() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        // SAFETY: balanced by `takeRetainedValue` on the thread.
        startThread(Unmanaged.passRetained(self).toOpaque()) { argument in
            swiftlet_name_thread("signals")
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGTERM)
            var signal: Int32 = 0
            while sigwait(&signals, &signal) != 0 {}
            // SAFETY: the pointer was made above, for this thread alone.
            if let argument { Unmanaged<LambdaRuntime>.fromOpaque(argument).takeRetainedValue().end() }
            return nil
        }
    }

    private func end() {
        let isIdle = state.withLock { state in
            state.isEnding = true
            return state.running == 0
        }
        if isIdle { exit(0) }
    }
}

/// An event as the Runtime API hands it over.
struct RuntimeInvocation: Sendable {
    var id: String
    var body: Bytes
    /// What is left of its time.
    var remaining: Duration
    var trace: TraceContext?

    /// Nil where the answer names no invocation.
    init?(_ answer: RuntimeAnswer, now: Instant) {
        guard let id = answer.headers.first("lambda-runtime-aws-request-id"),
            !id.isEmpty, id.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 47 && $0 != 63 })
        else { return nil }
        self.id = id
        body = answer.body
        let deadline = answer.headers.first("lambda-runtime-deadline-ms").flatMap { Int64($0) }
        let left = deadline.map { $0 - now.nanoseconds / 1_000_000 } ?? 24 * 3_600_000
        remaining = .milliseconds(min(max(left, 0), 24 * 3_600_000))
        trace = answer.headers.first("lambda-runtime-trace-id").flatMap { TraceContext(xray: $0) }
    }
}
