import FunctionCore
import Recordings
import Synchronization

// Bindings that answer as they did in a recording.

extension FakeBindings {
    /// What works in memory, and therefore needs no recorded answers.
    private static let kept: Set = [
        "users", "documents", "blobs", "state", "connections", "emit", "progress",
    ]

    /// Lets bindings give the answers that they gave in a recording, failures and pieces of streams too, whatever the
    /// event is now.
    ///
    /// `names` are bindings or methods, such as `text` or `fetch.send`; without any, all that do not work in memory. A call
    /// with the arguments of a recorded one gets that one's answer, any other the next of its method.
    /// - Throws: 422 where the recording has no such call; to the function, once the answers are used up:
    ///   `script_ended`.
    public func play(_ recorded: RecordedInvocation, _ names: String...) throws(FunctionError) {
        let answers = RecordedAnswer.all(of: recorded.recording.tape)
        let isWanted: (RecordedCall) -> Bool = { call in
            names.isEmpty
                ? !FakeBindings.kept.contains(call.binding)
                : names.contains(call.binding) || names.contains("\(call.binding).\(call.method)")
        }
        let wanted = Dictionary(grouping: answers.filter { isWanted($0.call) }) {
            "\($0.call.binding).\($0.call.method)"
        }
        guard !wanted.isEmpty else {
            let there = Set(answers.map { "\($0.call.binding).\($0.call.method)" }).sorted()
            let list = there.isEmpty ? "no answered call" : there.joined(separator: ", ")
            let sought = names.isEmpty ? "no provider's" : "none of \(names.joined(separator: ", "))"
            throw .invalid("recording", "calls", "the recording has \(sought); it has \(list)")
        }
        for (name, own) in wanted {
            let rest = Mutex(own)
            on(name) { request in
                let next = rest.withLock { rest -> RecordedAnswer? in
                    let same = rest.firstIndex { $0.call.arguments.bytes == request.arguments }
                    return rest.isEmpty ? nil : rest.remove(at: same ?? 0)
                }
                guard let next else {
                    let message = "\(name) was called more often than the \(own.count) times of the recording"
                    throw FunctionError(code: "script_ended", message: message)
                }
                return try next.reply()
            }
        }
    }
}

/// A recorded call that was answered, if only in part.
private struct RecordedAnswer {
    let call: RecordedCall
    var parts: [TapeStep] = []

    /// In the order of the calls.
    static func all(of tape: [TapeStep]) -> [RecordedAnswer] {
        var answers: [Int: RecordedAnswer] = [:]
        for step in tape {
            if let request = step.request {
                answers[step.call] = RecordedAnswer(call: request)
            } else {
                answers[step.call]?.parts.append(step)
            }
        }
        return answers.sorted { $0.key < $1.key }.map(\.value).filter { !$0.parts.isEmpty }
    }

    func reply() throws -> BindingReply {
        if let error = parts.first?.error { throw error.error }
        let hasValue = parts.first?.kind == .value
        let value = hasValue ? parts[0].bytes?.bytes ?? "{}" : "{}"
        let rest = Mutex(parts.dropFirst(hasValue ? 1 : 0))
        return BindingReply(
            value: value,
            body: BindingBody {
                guard let part = rest.withLock({ $0.popFirst() }) else { return nil }
                if let error = part.error { throw error.error }
                return part.bytes?.bytes
            }
        )
    }
}
