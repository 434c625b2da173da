import FunctionCore
import LambdaEvents
import Processes

/// Decides what becomes of a runtime's calls and of the events for it: the Lambda Runtime API of one worker.
///
/// A value: facts in, actions out; the shell (`RuntimeWorker`) performs them on one event loop.
///
/// A runtime:     starting ──next, or its time is over──▶ serving ──left, killed──▶ over
///                   └──init error, exit──▶ failed ──the first invocation hears of it──▶ over
/// An invocation: waiting ──next──▶ running ──response, error──▶ answering ──its body's end──▶ done
///                   └──taken back──▶ left out   └──its time is over──▶ done
package struct RuntimeMachine: Sendable {
    /// An invocation, by its frame's id.
    package typealias Key = UInt32
    /// A connection of the runtime's.
    package typealias Client = Int

    /// What the shell is to do.
    package enum Action: Sendable, Equatable {
        /// The worker can take invocations.
        case ready
        /// The worker takes one, to tell why it did not start.
        case startFailed(RuntimeFailure)
        /// The client gets the event; `again` where it was handed out before.
        case hand(Key, Client, again: Bool)
        case answer(Client, RuntimeAnswer)
        /// What the client sends is taken for the invocation's reply, or for its error.
        case take(Key, Client, asError: Bool)
        /// What the client sends is taken for the error of the runtime's start.
        case takeInitError(Client)
        /// The runtime has said all of a reply or of an error.
        case complete(Key)
        case fail(Key, RuntimeFailure)
        /// The worker has left the invocation out.
        case leaveOut(Key)
        /// Asks the process to leave.
        case terminate
        case kill
        /// The worker has nothing more to say.
        case end(ExitStatus)
    }

    private enum Phase: Sendable, Equatable {
        case starting
        /// Its error is on its way.
        case reporting(Client)
        case failed(RuntimeFailure)
        case serving
        case over
    }

    private enum Stage: Sendable, Equatable {
        case waiting
        case running(Client)
        case answering(Client, asError: Bool)
    }

    private struct Held: Sendable {
        let key: Key
        let request: String
        var stage = Stage.waiting
    }

    /// Whether the runtime takes several events at once.
    private let isConcurrent: Bool
    private var phase = Phase.starting
    /// In the order of arrival; as many as the pool sends, `perWorker` at most.
    private var held: [Held] = []
    /// Clients that wait for an event, the longest wait first; bounded by the number of connections.
    private var pollers: [Client] = []
    private var status: ExitStatus?

    package init(concurrency: Int = 1) {
        isConcurrent = concurrency > 1
    }

    // MARK: From the pool

    /// The pool has sent an invocation.
    package mutating func invoked(_ key: Key, request: String) -> [Action] {
        if case .failed(let failure) = phase {
            phase = .over
            return [.fail(key, failure.of(request)), status.map { .end($0) } ?? .kill]
        }
        held.append(Held(key: key, request: request))
        return match()
    }

    /// The pool had taken the invocation back before it was handed out; the client still waits.
    package mutating func takenBack(_ key: Key, from client: Client) -> [Action] {
        held.removeAll { $0.key == key }
        pollers.insert(client, at: 0)
        return [.leaveOut(key)] + match()
    }

    /// Nobody waits for the invocation any more.
    ///
    /// The runtime cannot be told: it goes on, unless its time is over, when what it still says counts for nothing.
    package mutating func cancelled(_ key: Key, isOverdue: Bool) -> [Action] {
        guard let index = held.firstIndex(where: { $0.key == key }) else { return [] }
        if held[index].stage == .waiting {
            held.remove(at: index)
            return [.leaveOut(key)]
        }
        guard isOverdue else { return [] }
        held.remove(at: index)
        return [.leaveOut(key)]
    }

    /// The pool wants the worker to leave.
    package mutating func drained() -> [Action] { stop(.terminate) }

    /// The pool wants the worker to end at once.
    package mutating func killed() -> [Action] { stop(.kill) }

    private mutating func stop(_ action: Action) -> [Action] {
        phase = .over
        return [status.map { .end($0) } ?? action]
    }

    /// The time for the start is over: what is left of it is on the first invocation's time.
    package mutating func initTimeEnded() -> [Action] {
        guard phase == .starting else { return [] }
        phase = .serving
        return [.ready]
    }

    /// The process has ended, as `fault` tells it.
    package mutating func exited(_ status: ExitStatus, _ fault: PlatformFault) -> [Action] {
        self.status = status
        pollers = []
        switch phase {
        case .starting, .reporting:
            let failure = RuntimeFailure.startFailed(fault)
            phase = .failed(failure)
            return [.startFailed(failure)]
        case .failed: return []
        case .serving, .over:
            phase = .over
            return [.end(status)]
        }
    }

    // MARK: From the runtime

    /// A client asks for the next event.
    package mutating func asked(_ client: Client) -> [Action] {
        switch phase {
        case .starting:
            phase = .serving
            pollers.append(client)
            return [.ready] + match()
        case .serving: break
        case .reporting, .failed: return [.answer(client, .forbidden(from: "InitError", to: "Ready"))]
        case .over: return []
        }
        // Who asks once more without an answer to the last gets the same; a runtime of one event at a time also by
        // another connection.
        if let last = held.first(where: { isUnanswered($0, by: client) }) {
            return [.hand(last.key, client, again: true)]
        }
        if !isConcurrent, let last = held.first(where: { isAnswering($0) }) {
            return [.answer(client, .forbidden(from: state(of: last), to: "Ready"))]
        }
        pollers.append(client)
        return match()
    }

    /// A client begins to send a reply, or an error.
    package mutating func responded(
        _ client: Client,
        to request: String,
        asError: Bool,
        mode: String?
    ) -> [Action] {
        guard let index = held.firstIndex(where: { $0.request == request }) else {
            return [.answer(client, .invalidRequestID)]
        }
        guard case .running = held[index].stage else {
            let wanted = asError ? "InvocationErrorResponse" : "InvocationResponse"
            return [.answer(client, .forbidden(from: state(of: held[index]), to: wanted))]
        }
        if !asError, let mode, mode != "streaming" {
            let key = held.remove(at: index).key
            return [.fail(key, .invalidResponseMode), .answer(client, .invalidResponseMode)]
        }
        held[index].stage = .answering(client, asError: asError)
        return [.take(held[index].key, client, asError: asError)]
    }

    /// A client begins to tell why the runtime cannot start.
    package mutating func beganInitError(_ client: Client) -> [Action] {
        guard phase == .starting else {
            let from = phase == .serving ? (held.first.map { state(of: $0) } ?? "Ready") : "InitError"
            return [.answer(client, .forbidden(from: from, to: "InitError"))]
        }
        phase = .reporting(client)
        return [.takeInitError(client)]
    }

    /// The error of the runtime's start has been read.
    package mutating func toldInitError(_ client: Client, _ failure: RuntimeFailure) -> [Action] {
        guard phase == .reporting(client) else { return [] }
        phase = .failed(failure)
        return [.answer(client, .accepted), .startFailed(failure)]
    }

    /// All that a client had to send has come; its invocation may be over since.
    package mutating func sent(_ client: Client) -> [Action] {
        guard let key = takeAnswered(by: client) else { return [.answer(client, .invalidRequestID)] }
        return [.complete(key), .answer(client, .accepted)]
    }

    /// What a client sends is more than a reply may be.
    package mutating func exceeded(_ client: Client) -> [Action] {
        guard let key = takeAnswered(by: client) else { return [.answer(client, .tooLarge)] }
        return [.fail(key, .tooLarge), .answer(client, .tooLarge)]
    }

    /// What a client sent broke off, or it has gone in the midst of it.
    package mutating func brokeOff(_ client: Client) -> [Action] {
        guard let key = takeAnswered(by: client) else { return [] }
        return [.fail(key, .truncated), .answer(client, .truncated)]
    }

    /// A connection has been closed.
    package mutating func left(_ client: Client) -> [Action] {
        pollers.removeAll { $0 == client }
        if phase == .reporting(client) { phase = .starting }
        return brokeOff(client)
    }

    /// Whether the runtime has an invocation still to get or to answer.
    package func holds(_ key: Key) -> Bool { held.contains { $0.key == key } }

    // MARK: Decisions

    private mutating func match() -> [Action] {
        var actions: [Action] = []
        while !pollers.isEmpty, let index = held.firstIndex(where: { $0.stage == .waiting }) {
            let client = pollers.removeFirst()
            held[index].stage = .running(client)
            actions.append(.hand(held[index].key, client, again: false))
        }
        return actions
    }

    private func isUnanswered(_ held: Held, by client: Client) -> Bool {
        guard case .running(let holder) = held.stage else { return false }
        return holder == client || !isConcurrent
    }

    private func isAnswering(_ held: Held) -> Bool {
        if case .answering = held.stage { return true }
        return false
    }

    private mutating func takeAnswered(by client: Client) -> Key? {
        let index = held.firstIndex {
            if case .answering(client, _) = $0.stage { return true }
            return false
        }
        return index.map { held.remove(at: $0).key }
    }

    /// The runtime's state as AWS calls it.
    private func state(of held: Held) -> String {
        switch held.stage {
        case .waiting: phase == .starting ? "Started" : "Ready"
        case .running: "Running"
        case .answering(_, true): "InvocationErrorResponse"
        case .answering(_, false): "InvocationResponse"
        }
    }
}
