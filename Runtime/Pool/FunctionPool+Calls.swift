import FunctionCore
import Invocations
import NIOCore
import Wire

/// The binding calls of a pool's workers: taken from the channel, answered by the host's services.
extension FunctionPool {
    func beginCall(_ frame: Frame, from link: WorkerLink) throws(WireError) {
        let (head, body) = try CallHead.read(frame.payload)
        let answer = CallAnswer(id: frame.id, link: link)
        guard let ticket = tickets[head.invocation], ticket.worker == link.id, let started = ticket.started
        else {
            answer.fail(
                FunctionError(status: 410, code: "invocation_over", message: "the invocation has ended")
            )
            return
        }
        guard calls.count(on: link.id) < CallRegister.perWorkerMax else {
            let message = "more than \(CallRegister.perWorkerMax) calls are under way on one worker"
            answer.fail(FunctionError(status: 429, code: "too_many_calls", message: message))
            return
        }
        guard !calls.contains(frame.id, on: link.id) else {
            throw WireError("a second call \(frame.id) while the first is under way")
        }
        ticket.calls += 1
        let id = frame.id
        let invocation = ticket.invocation
        let timeout = min(invocation.timeout ?? manifest.limits.timeout, manifest.limits.timeout)
        let origin = CallOrigin(
            invocation: invocation.id,
            function: manifest.name,
            attempt: invocation.attempt,
            depth: invocation.depth,
            principal: invocation.principal,
            trace: invocation.trace,
            fencingToken: invocation.fencingToken,
            deadline: started + timeout
        )
        let call = BindingCall(method: head.method, arguments: head.arguments, body: body, origin: origin)
        let task = Task { [self, bindings, manifest] in
            do {
                try await bindings.call(head.binding, call, manifest: manifest, answer: answer)
                answer.finish()
            } catch {
                answer.fail(FunctionPool.describe(error))
            }
            loop.execute { self.calls.end(id, on: link.id) }
        }
        calls.begin(frame.id, on: link.id, of: head.invocation, task: task, answer: answer)
    }

    /// What a handler may know of a service's error.
    ///
    /// Texts of unknown errors stay in the host.
    private static func describe(_ error: any Error) -> FunctionError {
        switch error {
        case let error as FunctionError: error
        case is CancellationError:
            FunctionError(status: 499, code: "cancelled", message: "the call was given up")
        default:
            FunctionError(status: 500, code: "internal", message: "the service failed; see the host's log")
        }
    }
}
