import FunctionCore
import Invocations
import NIOCore
import Synchronization

/// The binding `invoke`: one function calls another, within its own time, in its own trace, sixteen deep at
/// most.
package final class InvokeService: BindingService {
    package let binding = "invoke"
    private let loop: any EventLoop
    /// Set once the pools are made: they need the services first.
    private let dispatching = Mutex<(any Dispatching)?>(nil)

    package static let depthMax = 16

    package init(loop: any EventLoop) {
        self.loop = loop
    }

    package func connect(_ dispatching: any Dispatching) {
        self.dispatching.withLock { $0 = dispatching }
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        guard call.method == "invoke" else { throw call.unknownMethod(of: binding) }
        let request = try call.decode(InvokeRequest.self)
        guard call.origin.depth < InvokeService.depthMax else {
            throw FunctionError(
                status: 508,
                code: "depth_exceeded",
                message: "\(InvokeService.depthMax) functions call one another already; is there a circle?",
                retry: .never
            )
        }
        guard let dispatching = dispatching.withLock({ $0 }) else {
            throw FunctionError(status: 503, code: "draining", message: "the host is not ready")
        }
        var invocation = Invocation(
            function: request.function,
            event: Event(body: request.input.bytes()),
            depth: call.origin.depth + 1,
            trace: call.origin.trace.child(),
            parent: ParentSpan(call.origin.trace, isRemote: false),
            principal: call.origin.principal,
            timeout: call.origin.deadline - Monotonic.now,
            trigger: "invoke"
        )
        if let fault = call.origin.trial?.providerFault {
            invocation.trial = Trial(faults: [.provider(fault)])
        }
        let reply = await dispatching.collect(invocation, on: loop)
        if let error = reply.outcome.error { throw error }
        let value = (try? JSON.parse(reply.body)) ?? .string(reply.body.text)
        guard reply.status < 400 else {
            throw FunctionError(
                status: reply.status,
                code: value["error"]?["code"]?.stringValue ?? "status_\(reply.status)",
                message: value["error"]?["message"]?.stringValue
                    ?? "\(request.function) replied \(reply.status)"
            )
        }
        try answer.send(value.bytes())
    }
}
