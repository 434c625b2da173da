import FunctionCore
import Invocations
import Synchronization

/// The failures that are asked for, by headers and by command, until they have happened.
///
/// Bound: `countMax` that wait. Each that happens is in the log. Threading: any.
package final class FaultBook: Sendable {
    /// One that waits for a call.
    struct Armed: Sendable {
        let number: Int
        let fault: InjectedFault.Provider
        /// Nil for all functions.
        let function: String?
        var left: Int
    }

    private struct State {
        var armed: [Armed] = []
        var last = 0
    }

    static let countMax = 100
    private let telemetry: Telemetry
    private let state = Mutex(State())

    init(telemetry: Telemetry) {
        self.telemetry = telemetry
    }

    /// What the provider is to do to a request for that invocation: what its header asks for, or else the first
    /// that waits for its function, which has then one time less to happen.
    func provider(_ origin: CallOrigin) -> InjectedFault.Provider? {
        if let asked = origin.trial?.providerFault {
            note("provider=\(asked.rawValue)", origin.function, origin.invocation, by: "header")
            return asked
        }
        let fault: InjectedFault.Provider? = state.withLock { state in
            guard
                let index = state.armed.firstIndex(where: {
                    $0.function == nil || $0.function == origin.function
                })
            else { return nil }
            let fault = state.armed[index].fault
            state.armed[index].left -= 1
            if state.armed[index].left == 0 { state.armed.remove(at: index) }
            return fault
        }
        if let fault { note("provider=\(fault.rawValue)", origin.function, origin.invocation, by: "command") }
        return fault
    }

    /// - Throws: 409 where there are too many.
    func arm(_ fault: InjectedFault.Provider, function: String?, count: Int) throws(FunctionError) -> Armed {
        let armed: Armed? = state.withLock { state in
            guard state.armed.count < FaultBook.countMax else { return nil }
            state.last += 1
            let armed = Armed(number: state.last, fault: fault, function: function, left: count)
            state.armed.append(armed)
            return armed
        }
        guard let armed else {
            let message =
                "\(FaultBook.countMax) faults wait already; take them back by `swiftlet fault clear`"
            throw .conflict("too_many_faults", message)
        }
        return armed
    }

    var list: [Armed] { state.withLock { $0.armed } }

    /// Takes all back; how many there were.
    func clear() -> Int {
        state.withLock { state in
            defer { state.armed = [] }
            return state.armed.count
        }
    }

    func note(_ fault: String, _ function: String?, _ invocation: String? = nil, by source: String) {
        var fields: [(String, JSON)] = [("fault", .string(fault)), ("asked_by", .string(source))]
        if let invocation { fields.append(("invocation", .string(invocation))) }
        telemetry.note(.warning, "fault injected", function: function, fields)
    }
}

extension FaultBook.Armed {
    var json: JSON {
        [
            "number": .integer(Int64(number)), "fault": .string("provider=\(fault.rawValue)"),
            "function": function.map { .string($0) } ?? .null, "left": .integer(Int64(left)),
        ]
    }
}
