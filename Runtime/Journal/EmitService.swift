import FunctionCore
import Invocations
import Storage

/// The binding `emit`: an event is in the journal's outbox when the call returns.
package struct EmitService: BindingService {
    package let binding = "emit"
    private let outbox: EventOutbox
    private let clock: any HostClock

    package init(_ outbox: EventOutbox, clock: any HostClock) {
        self.outbox = outbox
        self.clock = clock
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        guard call.method == "emit" else { throw call.unknownMethod(of: binding) }
        let told = try call.decode(OutgoingEvent.self)
        let faults = OutboxEvent.faults(of: told)
        guard faults.isEmpty else { throw FunctionError.invalid(faults) }
        let event = OutboxEvent(
            told,
            id: InvocationID.next(),
            source: call.origin.function,
            time: clock.now,
            trace: call.origin.trace
        )
        do {
            try await outbox.append(event)
        } catch let error as StorageError {
            throw error.functionError
        }
        try answer.send(encoding: Nothing())
    }
}
