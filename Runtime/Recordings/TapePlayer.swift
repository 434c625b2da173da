import FunctionCore
import Synchronization

/// Answers a function's calls from a tape, in the tape's order: a part of an answer goes out once all calls that had
/// begun before it have begun again.
///
/// So calls that run beside each other meet their answers as they did, however the threads run. A call that is not
/// on the tape, or with other arguments, is told as a divergence; from there on the order is not kept, as it says
/// nothing any more. Threading: any.
package final class TapePlayer: Sendable {
    /// A part of an answer.
    package enum Part: Sendable {
        case value(Bytes)
        case piece(Bytes)
        case ended
        case failed(FunctionError)
    }

    private struct Call {
        var parts: [Part] = []
        var waiter: CheckedContinuation<Part?, Never>?
        var isOver = false
    }

    private struct State {
        /// The next step of the tape that has not been played.
        var next = 0
        /// By their numbers on the tape.
        var calls: [Int: Call] = [:]
        var divergences: [String] = []
        var isLoose = false
        /// The step that somebody waits for already.
        var watched = 0
    }

    private let tape: [TapeStep]
    /// Of the calls on the tape, in their order.
    private let requests: [(call: Int, request: RecordedCall)]
    private let scrub: @Sendable (RecordedCall) -> RecordedCall
    /// Waits; nil where nothing is told of a call that does not come, as it is under a debugger.
    private let sleep: (@Sendable (Duration) async -> Void)?
    private let state = Mutex(State())

    /// What `scrub` takes out of a call was taken out of those on the tape as well.
    package init(
        _ tape: [TapeStep],
        scrub: @escaping @Sendable (RecordedCall) -> RecordedCall = { $0 },
        sleep: (@Sendable (Duration) async -> Void)? = nil
    ) {
        self.tape = tape
        self.scrub = scrub
        self.sleep = sleep
        requests = tape.compactMap { step in step.request.map { (step.call, $0) } }
    }

    /// What was not as it had been, so far.
    package var divergences: [String] { state.withLock { $0.divergences } }

    /// A call has been made; returns its number, or throws where it was not made before.
    package func begin(_ call: RecordedCall) throws -> Int {
        let call = scrub(call)
        let found: Int? = state.withLock { state in
            let left = requests.filter { state.calls[$0.call] == nil }
            guard let same = left.first(where: { $0.request == call }) else {
                state.divergences.append(TapePlayer.difference(call, from: left.map(\.request)))
                loosen(&state)
                return nil
            }
            var own = Call()
            if state.isLoose {
                own.parts = tape.filter { $0.call == same.call }.compactMap(\.part)
            }
            state.calls[same.call] = own
            play(&state)
            return same.call
        }
        guard let found else {
            let message = divergences.last ?? ""
            throw FunctionError(status: 409, code: "replay_diverged", message: message, retry: .never)
        }
        return found
    }

    /// The next part of the answer; nil where there is none, as the call was given up then.
    package func next(of call: Int) async -> Part? {
        watch()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let part: Part?? = state.withLock { state in
                    guard var own = state.calls[call], !own.isOver else { return .some(nil) }
                    if !own.parts.isEmpty {
                        let part = own.parts.removeFirst()
                        state.calls[call] = own
                        return part
                    }
                    own.waiter = continuation
                    state.calls[call] = own
                    return .none
                }
                if let part { continuation.resume(returning: part) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.calls[call]?.isOver = true
                return state.calls[call]?.waiter.take()
            }
            waiter?.resume(returning: nil)
        }
    }

    /// The invocation is over: what it did not call is told.
    package func end() {
        state.withLock { state in
            guard state.divergences.isEmpty else { return }
            for (call, request) in requests where state.calls[call] == nil {
                state.divergences.append("the call \(call + 1), \(request.name), was not made")
            }
        }
    }

    // MARK: Playing

    private func play(_ state: inout State) {
        while state.next < tape.count {
            let step = tape[state.next]
            if step.kind == .began {
                guard state.calls[step.call] != nil || state.isLoose else { return }
            } else if let part = step.part {
                hand(part, to: step.call, &state)
            }
            state.next += 1
        }
    }

    private func hand(_ part: Part, to call: Int, _ state: inout State) {
        // A call that is not made again needs no answer.
        guard var own = state.calls[call] else { return }
        if let waiter = own.waiter.take() {
            waiter.resume(returning: part)
        } else {
            own.parts.append(part)
        }
        state.calls[call] = own
    }

    /// Gives the order up: each call has its answer at once.
    private func loosen(_ state: inout State) {
        state.isLoose = true
        play(&state)
    }

    /// Tells of the call that the tape waits for and that does not come, though it came soon after the one before.
    private func watch() {
        guard let sleep else { return }
        let due: (place: Int, patience: Int64)? = state.withLock { state in
            guard state.next < tape.count, state.next > 0, state.watched != state.next else { return nil }
            state.watched = state.next
            return (state.next, tape[state.next].at - tape[state.next - 1].at)
        }
        guard let (place, patience) = due else { return }
        Task {
            await sleep(.nanoseconds(patience) + .seconds(2))
            state.withLock { state in
                guard state.next == place, !state.isLoose, let request = tape[place].request else { return }
                state.divergences.append("the call \(tape[place].call + 1), \(request.name), was not made")
                loosen(&state)
            }
        }
    }

    /// Told by the one of those left that is most like it: calls that run beside each other come in any order.
    private static func difference(_ call: RecordedCall, from others: [RecordedCall]) -> String {
        let likest =
            others.first { $0.name == call.name } ?? others.first { $0.binding == call.binding }
            ?? others.first { $0.method == call.method } ?? others.first
        guard let other = likest else { return "\(call.name) is one call more than there were" }
        guard call.binding == other.binding, call.method == other.method else {
            return "\(call.name) is called where \(other.name) was"
        }
        if call.arguments != other.arguments {
            let place = JSONDifference.between(other.arguments.bytes, call.arguments.bytes)
            return "\(call.name) is called with other arguments: \(place)"
        }
        return "\(call.name) is called with another body: \(call.bodyCount) bytes, it had \(other.bodyCount)"
    }
}

extension RecordedCall {
    var name: String { "\(binding).\(method)" }
}

extension TapeStep {
    var part: TapePlayer.Part? {
        switch kind {
        case .began: nil
        case .value: .value(bytes?.bytes ?? Bytes())
        case .piece: .piece(bytes?.bytes ?? Bytes())
        case .ended: .ended
        case .failed: error.map { .failed($0.error) }
        }
    }
}
