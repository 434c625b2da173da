import FunctionCore
import Invocations
import NIOCore
import Recordings
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
        if isDoomed(ticket, link) { return }
        guard calls.count(on: link.id) < CallRegister.perWorkerMax else {
            let message = "more than \(CallRegister.perWorkerMax) calls are under way on one worker"
            answer.fail(FunctionError(status: 429, code: "too_many_calls", message: message))
            return
        }
        guard !calls.contains(frame.id, on: link.id) else {
            throw WireError("a second call \(frame.id) while the first is under way")
        }
        let number = ticket.begin(head, after: .now - started)
        let id = frame.id
        let invocation = ticket.invocation
        let timeout = min(invocation.timeout ?? manifest.limits.timeout, manifest.limits.timeout)
        var origin = CallOrigin(
            invocation: invocation.id,
            function: manifest.name,
            attempt: invocation.attempt,
            depth: invocation.depth,
            principal: invocation.principal,
            trace: ticket.trace(ofCall: number),
            fencingToken: invocation.fencingToken,
            deadline: started + timeout
        )
        origin.trial = invocation.trial
        let call = BindingCall(method: head.method, arguments: head.arguments, body: body, origin: origin)
        let taped = ticket.run.map { TapedAnswer(answer, $0.tape, head, body) }
        let player = invocation.trial?.replay?.player
        let task = Task { [self, bindings, manifest] in
            var failure: FunctionError?
            do {
                if let player {
                    try await player.answer(RecordedCall(head, body), to: taped ?? answer)
                } else {
                    try await bindings.call(head.binding, call, manifest: manifest, answer: taped ?? answer)
                }
                taped?.ended()
            } catch {
                let error = BindingHost.describe(error)
                taped?.failed(error)
                failure = error
            }
            // Before the worker hears of it, as what it does then may be the end of the invocation.
            loop.execute { [failure, facts = origin.facts] in
                self.calls.end(id, on: link.id)
                ticket.ended(number, after: .now - started, failure, facts.all)
            }
            if let failure { answer.fail(failure) } else { answer.finish() }
        }
        calls.begin(frame.id, on: link.id, of: head.invocation, task: task, answer: answer)
    }
}

extension PoolTicket {
    /// A call has begun; returns the number of its report, nil where there is none.
    ///
    /// Reports of progress that follow one another are told of as one call, or they would take the room of all
    /// that a long job does after them.
    fileprivate func begin(_ head: CallHead, after offset: Duration) -> Int? {
        calls += 1
        if let last = callReports.indices.last, head.binding == "progress",
            callReports[last].binding == head.binding, callReports[last].duration != nil
        {
            callReports[last].times += 1
            callReports[last].duration = nil
            return last + 1
        }
        guard callReports.count < InvocationReport.callMax else { return nil }
        callReports.append(CallReport(binding: head.binding, method: head.method, offset: offset))
        return callReports.count
    }

    /// Where in the trace a call is; one that is not told of has its attempt's own place.
    fileprivate func trace(ofCall number: Int?) -> TraceContext {
        let trace = invocation.trace
        return number.map { trace.at(SpanID.call($0, of: trace.span)) } ?? trace
    }

    /// The call of that number has been answered.
    fileprivate func ended(
        _ number: Int?,
        after offset: Duration,
        _ failure: FunctionError?,
        _ facts: [SpanAttribute]
    ) {
        guard let number else { return }
        callReports[number - 1].duration = offset - callReports[number - 1].offset
        callReports[number - 1].error = failure?.code
        callReports[number - 1].facts = facts
    }
}
