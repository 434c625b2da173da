import FunctionCore
import LambdaEvents

/// Runs invocations that Lambda hands over, and answers them.
struct LambdaInvocations: Sendable {
    let handler: Handler
    let environment: LambdaEnvironment
    let routes: LambdaRoutes?

    /// The longest reply that is held, as the platform takes no longer one; streams have no such limit.
    static let replyMax = 6 * 1024 * 1024 + 100

    /// Runs one, and answers it on the connection; what the platform said against the answer, or nil.
    ///
    /// - Throws: `RuntimeFault` where the platform cannot be reached any more.
    func run(
        _ invocation: RuntimeInvocation,
        on connection: RuntimeConnection
    ) throws(RuntimeFault) -> String? {
        let answering = LambdaAnswering(invocation.id, connection)
        var input: LambdaInput
        do throws(FunctionError) {
            input = try LambdaInput(invocation.body)
        } catch {
            return try answering.fail(error)
        }
        do throws(FunctionError) {
            try route(&input)
        } catch {
            return try answering.answer(.failure(error), input)
        }
        let context = context(invocation, input)
        let event = input.event
        if case .synchronous(let handle) = handler {
            let result = Result { try handle(event, context) }.mapError(FunctionError.init(describing:))
            return try answering.answer(result, input)
        }
        let handoff = ReplyHandoff()
        let task = Task { await LambdaInvocations.handle(handler, event, context, handoff) }
        defer { task.cancel() }
        return try answering.answer(handoff, input, streams: environment.streams)
    }

    private static func handle(
        _ handler: Handler,
        _ event: Event,
        _ context: Context,
        _ handoff: ReplyHandoff
    ) async {
        do {
            switch handler {
            case .synchronous(let handle): handoff.end(.reply(try handle(event, context)))
            case .async(let handle): handoff.end(.reply(try await handle(event, context)))
            case .batch(let handle):
                handoff.end(.reply(try await Handler.run(event) { try await handle($0, context) }))
            case .streaming(let handle):
                try await handle(event, context, handoff.stream)
                try handoff.endStream()
            }
        } catch {
            handoff.end(.failed(FunctionError(describing: error)))
        }
    }

    /// Gives the event its operation and its path's parameters: what the handler's name says counts, then the
    /// manifest's routes.
    private func route(_ input: inout LambdaInput) throws(FunctionError) {
        input.event.operation = environment.operation
        guard let routes else { return }
        if input.shape == .records, environment.operation.isEmpty {
            let batch = try? input.event.decode(RedisEvent.self)
            input.event.operation = routes.operation(of: batch?.stream ?? "")
        }
        guard let request = input.event.request else { return }
        switch routes.match(request.method, request.path) {
        case .found(let operation, let parameters):
            input.event.request?.parameters = parameters
            if environment.operation.isEmpty { input.event.operation = operation }
        // The API's own route led here: the manifest need not know it.
        case _ where !environment.operation.isEmpty: break
        case .unknown:
            throw .notFound("no route of \(environment.function) matches the path")
        case .otherMethods(let methods):
            let list = methods.joined(separator: ", ")
            throw FunctionError(
                status: 405,
                code: "method_not_allowed",
                message: "the path does not take \(request.method); it takes \(list)",
                retry: .never
            )
        }
    }

    private func context(_ invocation: RuntimeInvocation, _ input: LambdaInput) -> Context {
        let caller =
            input.event.request?.headers.first("traceparent").flatMap { TraceContext(traceparent: $0) }
            ?? invocation.trace
        let trace = caller?.child() ?? .begin()
        let deadline = Monotonic.now + invocation.remaining
        let origin = CallerOrigin(
            function: environment.function,
            invocation: invocation.id,
            attempt: input.attempt,
            principal: input.principal,
            trace: trace,
            deadline: deadline
        )
        let log = LambdaLog(writesJSON: environment.logsJSON, level: environment.logLevel) { writeAll(2, $0) }
        return Context(
            invocation: invocation.id,
            function: environment.function,
            attempt: input.attempt,
            trace: trace,
            principal: input.principal,
            environment: environment.settings,
            log: log.logger(invocation.id, clock: wallClock),
            bindings: Bindings(environment.bindings.caller(for: origin)),
            deadline: deadline,
            clock: wallClock
        )
    }
}
