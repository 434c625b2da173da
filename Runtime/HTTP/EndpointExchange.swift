import FunctionCore
import Invocations
import NIOCore

/// A request that a part of the host answers: in a task of its own, or by an invocation.
// SAFETY: as Exchange: all state belongs to its loop; `route` and `parameters` never change.
final class EndpointExchange: Exchange, @unchecked Sendable {
    private let route: EndpointRoute
    private let parameters: [String: String]
    private var task: Task<Void, Never>?
    private var dispatched: (any Dispatched)?
    private var trace: String?

    init(
        _ request: RequestHead,
        _ route: EndpointRoute,
        _ parameters: [String: String],
        _ gateway: Gateway,
        _ output: any ReplyOutput
    ) {
        self.route = route
        self.parameters = parameters
        super.init(request, gateway, output, pattern: route.pattern, bodyLimit: route.bodyLimit)
    }

    override var cors: CORSPolicy? { route.cors }
    override var traceID: String? { trace }

    package override func start() {
        if let refusal { return refuseHere(refusal) }
        guard gateway.enterEndpoint() else {
            let message = "the host answers as many requests of this kind as it may; try again later"
            return refuseHere(Refusal(FunctionError(status: 503, code: "overloaded", message: message)))
        }
        let request = endpointRequest()
        if let invocation = route.invocation?(request) { return invoke(invocation) }
        task = Task {
            let response = await route.endpoint.respond(to: request)
            await deliver(response)
            gateway.leaveEndpoint()
        }
    }

    /// Runs a function from the connection's own loop: a task would be two more changes of thread.
    private func invoke(_ call: EndpointInvocation) {
        let dispatched = call.dispatching.collect(call.invocation, on: loop.eventLoop, limit: call.limit) {
            reply in
            let response = call.respond(reply)
            self.dispatched = nil
            self.gateway.leaveEndpoint()
            guard case .bytes(let body) = response.body else { preconditionFailure("the body must be bytes") }
            self.trace = response.headers.first("x-trace-id")
            self.answer(
                status: response.status,
                headers: response.headers,
                body: ByteBuffer(bytes: body.array)
            )
        }
        if !hasEnded { self.dispatched = dispatched }
    }

    private func refuseHere(_ refusal: Refusal) {
        guard let response = route.refusal?(refusal.error, id), case .bytes(let body) = response.body else {
            return answer(refusal)
        }
        let headers = response.headers + refusal.headers
        answer(status: response.status, headers: headers, body: ByteBuffer(bytes: body.array))
    }

    override func clientLeft() {
        task?.cancel()
        dispatched?.cancel()
        // Reports the request; nothing is written any more.
        finish()
    }

    private func endpointRequest() -> EndpointRequest {
        let method = isHead ? "GET" : request.method.text
        var result = EndpointRequest(
            method: method,
            target: request.target,
            parameters: parameters,
            query: HTTPRequest(method: method, target: request.target).query,
            headers: request.headers,
            body: takeBody(),
            remoteAddress: request.caller.address,
            principal: gateway.principal(of: request)
        )
        result.id = id
        result.isHead = isHead
        result.takesGzip =
            gateway.settings.compresses && request.acceptEncoding.map(AcceptEncoding.takesGzip) == true
        return result
    }

    private func deliver(_ response: EndpointResponse) async {
        switch response.body {
        case .bytes(let bytes):
            let body = ByteBuffer(bytes: bytes.array)
            loop.eventLoop.execute {
                self.trace = response.headers.first("x-trace-id")
                self.answer(status: response.status, headers: response.headers, body: body)
            }
        case .file(let path, let offset, let length):
            do {
                await deliver(response, try await FileReader.open(path), offset, length)
            } catch {
                let refusal = Refusal(.notFound("the file is no longer there"))
                loop.eventLoop.execute { self.answer(refusal) }
            }
        case .opened(let file, let offset, let length): await deliver(response, file, offset, length)
        case .stream(let produce):
            await deliver(response, length: nil, produce)
        }
    }

    private func deliver(
        _ response: EndpointResponse,
        _ file: FileReader,
        _ offset: Int64,
        _ length: Int64
    ) async {
        // What is one piece goes out as one write, head and all.
        if length <= FileReader.piece, !isHead, let bytes = try? await file.all(from: offset, length: length)
        {
            return await deliver(
                EndpointResponse(status: response.status, headers: response.headers, body: .bytes(bytes))
            )
        }
        await deliver(response, length: Int(length)) { writer in
            try await file.read(from: offset, length: length) { try await writer.write($0) }
        }
    }

    private func deliver(
        _ response: EndpointResponse,
        length: Int?,
        _ produce: @escaping @Sendable (EndpointWriter) async throws -> Void
    ) async {
        do {
            let goesOn = try await loop.eventLoop.submit {
                self.trace = response.headers.first("x-trace-id")
                guard self.begin(status: response.status, headers: response.headers, length: length) else {
                    return false
                }
                self.output?.flush()
                return self.sendsBody
            }.get()
            if goesOn { try await produce(EndpointWriter { try await self.send($0) }) }
            loop.eventLoop.execute { self.finish() }
        } catch {
            loop.eventLoop.execute { self.cut() }
        }
    }

    /// Writes a piece and returns once it is with the kernel.
    private func send(_ piece: Bytes) async throws {
        let buffer = ByteBuffer(bytes: piece.array)
        try await loop.eventLoop.flatSubmit {
            let promise = self.loop.eventLoop.makePromise(of: Void.self)
            guard let output = self.output else {
                promise.fail(CancellationError())
                return promise.futureResult
            }
            self.write(buffer, promise: promise)
            output.flush()
            return promise.futureResult
        }.get()
    }
}
