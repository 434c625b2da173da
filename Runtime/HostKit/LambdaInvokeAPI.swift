import FunctionCore
import HTTPTrigger
import Invocations
import LambdaAPI
import LambdaEvents
import NIOCore
import WorkerPool

/// The Invoke API of AWS Lambda, so that its SDKs invoke functions here with nothing but another endpoint.
struct LambdaInvokeAPI {
    let host: HostState

    /// Bytes of a payload that is checked on the connection's loop: some 0.3 ms.
    private static let quickMax = 16 * 1024

    var routes: [EndpointRoute] {
        [
            LambdaRoute.make(
                "POST",
                "/2015-03-31/functions/{name}/invocations",
                self.invoke,
                invocation: self.quick
            ),
            LambdaRoute.make("POST", "/2014-11-13/functions/{name}/invoke-async/", self.invokeAsync),
            LambdaRoute.make("POST", "/2014-11-13/functions/{name}/invoke-async", self.invokeAsync),
        ]
    }

    @Sendable private func invoke(_ request: EndpointRequest) async throws(LambdaError) -> EndpointResponse {
        let wish = try LambdaRequest(request)
        let manifest = try host.manifest(of: wish.function)
        switch wish.kind {
        case .dryRun: return EndpointResponse(status: 204)
        case .event: return try await accept(wish, request)
        case .requestResponse: return try await run(wish, manifest, request)
        }
    }

    /// What needs nothing but a worker, unless its payload takes long to check.
    @Sendable private func quick(_ request: EndpointRequest) -> EndpointInvocation? {
        guard request.body.count <= LambdaInvokeAPI.quickMax, let wish = try? LambdaRequest(request),
            wish.kind == .requestResponse, !wish.wantsLog,
            let manifest = try? host.manifest(of: wish.function),
            host.window(of: manifest.name) == nil
        else { return nil }
        let invocation = wish.invocation(request)
        return EndpointInvocation(invocation, by: host.dispatcher, limit: InvokeResult.replyMax) { reply in
            LambdaRoute.answered(invocation.id) { () throws(LambdaError) in
                try self.response(reply, invocation, manifest)
            }
        }
    }

    /// The deprecated InvokeAsync.
    @Sendable private func invokeAsync(
        _ request: EndpointRequest
    ) async throws(LambdaError) -> EndpointResponse {
        let wish = try LambdaRequest(request, as: .event)
        _ = try host.manifest(of: wish.function)
        return try await accept(wish, request)
    }

    private func accept(
        _ wish: LambdaRequest,
        _ request: EndpointRequest
    ) async throws(LambdaError) -> EndpointResponse {
        do {
            _ = try await host.ports.accept(
                wish.invocation(request),
                idempotencyKey: nil,
                requestHash: "",
                wishes: try JobWishes.headers(request.headers, now: host.clock.now)
            )
            return EndpointResponse(status: 202)
        } catch let error as FunctionError {
            throw LambdaError(error)
        } catch {
            throw .service("the journal took nothing; try again", after: .seconds(1))
        }
    }

    private func run(
        _ wish: LambdaRequest,
        _ manifest: Manifest,
        _ request: EndpointRequest
    ) async throws(LambdaError) -> EndpointResponse {
        let invocation = wish.invocation(request)
        if wish.wantsLog { host.telemetry.tails.listen(to: invocation.id) }
        let reply = await host.run(invocation, limit: InvokeResult.replyMax)
        var log: [Header] = []
        if wish.wantsLog {
            log = [
                Header(
                    "x-amz-log-result",
                    await host.log(of: invocation, manifest, reply.outcome, reply.process)
                )
            ]
        }
        return try response(reply, invocation, manifest, log)
    }

    private func response(
        _ reply: CollectedReply,
        _ invocation: Invocation,
        _ manifest: Manifest,
        _ log: [Header] = []
    ) throws(LambdaError) -> EndpointResponse {
        var headers = [.json] + LambdaRoute.replied(invocation) + log
        let result = InvokeResult(
            reply,
            request: InvocationID.uuid(of: invocation.id),
            timeout: manifest.limits.timeout
        )
        switch result {
        case .payload(let body):
            return EndpointResponse(headers: headers, body: .bytes(body))
        case .unhandled(let body):
            headers.append(Header("x-amz-function-error", "Unhandled"))
            return EndpointResponse(headers: headers, body: .bytes(body))
        case .refused(let error): throw error
        }
    }
}

extension LambdaRequest {
    /// What a request says; `type` overrules the invocation type of its headers.
    init(_ request: EndpointRequest, as type: Kind? = nil) throws(LambdaError) {
        try self.init(
            function: request.parameters["name"] ?? "",
            qualifier: request.query["Qualifier"],
            headers: request.headers,
            payload: request.body,
            as: type
        )
    }

    /// The invocation that it asks for: the qualifier is the operation.
    func invocation(_ request: EndpointRequest) -> Invocation {
        let caller =
            request.headers.first("traceparent").flatMap { TraceContext(traceparent: $0) }
            ?? request.headers.first("x-amzn-trace-id").flatMap { TraceContext(xray: $0) }
        var invocation = Invocation(
            id: request.id,
            function: function.name,
            event: Event(operation: function.qualifier ?? "", body: payload),
            trace: caller?.child() ?? .begin(),
            parent: ParentSpan(caller, isRemote: true),
            trigger: "invoke"
        )
        invocation.clientContext = clientContext
        return invocation
    }
}

extension HostState {
    /// The loop on which a function's pool lives.
    func loop(of function: String) -> any EventLoop { dispatcher.pools[function]?.loop ?? loop }

    /// Runs an invocation that somebody waits for.
    ///
    /// A windowed function that is invoked by hand runs under its window's token, if the window is open, and
    /// ends with the window; else it runs without one.
    func run(_ invocation: Invocation, limit: Int) async -> CollectedReply {
        if let (rotation, window) = window(of: invocation.function),
            let reply = await scheduler.invoke(invocation, rotation: rotation, window: window)
        {
            return reply
        }
        return await dispatcher.collect(invocation, on: loop(of: invocation.function), limit: limit)
    }

    /// The end of an invocation's log, once it is over.
    func log(
        of invocation: Invocation,
        _ manifest: Manifest,
        _ outcome: Outcome,
        _ process: Int32?
    ) async -> String {
        // What the process printed before its reply lies in its pipes by now, and is read in the loop's next
        // turn. A Lambda runtime's own last lines may come a little after a time limit; without them the host
        // writes its own.
        let loop = loop(of: invocation.function)
        for _ in 0..<(manifest.foreign == nil ? 1 : 10) {
            try? await loop.scheduleTask(in: .milliseconds(2)) {}.futureResult.get()
            if telemetry.tails.isEnded(invocation.id) { break }
        }
        let (tail, end) = telemetry.tails.close(invocation.id)
        let report = end.map { end in
            LambdaLines.Report(
                duration: end.ran,
                memoryMiB: manifest.limits.memoryMiB,
                maxMemoryMiB: process.flatMap(HostState.peakMiB),
                start: end.cold ? end.queued : nil
            )
        }
        return tail.result(
            request: InvocationID.uuid(of: invocation.id),
            report,
            fault: outcome.fault(timeout: manifest.limits.timeout),
            at: clock.now
        )
    }

    /// The most memory that a process has ever had, while it is there.
    private static func peakMiB(_ process: Int32) -> Int? {
        guard let status = readFile("/proc/\(process)/status") else { return nil }
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("VmHWM:") }
        let digits = line?.filter(\.isNumber)
        return digits.flatMap { Int($0) }.map { ($0 + 1023) / 1024 }
    }
}
