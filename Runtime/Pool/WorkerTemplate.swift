import CShims
import FunctionCore
import Glibc
import Processes
import Synchronization

/// A process of the bundle that forks workers on demand, in a fraction of the time that a start takes.
///
/// An optimisation: as long as it is not proven to work, has died or does not answer, workers are started plainly.
///
/// Threading: any; `fork` blocks for the time of a fork.
package final class WorkerTemplate: Sendable {
    /// What it tells about itself; each once it has become true.
    package enum Report: Sendable, Equatable {
        case ready
        case off(String)
    }

    private struct State {
        var process: ChildProcess?
        /// The host's end; -1 until the probe has passed, and after the end.
        var socket: Int32 = -1
        /// Whether it served until it died: such a one comes back, one that hung does not.
        var mayReturn = false
        var deaths = 0
        var stopped = false
        /// Whom to tell of the end that `stop` brings.
        var done: @Sendable () -> Void = {}
    }

    private let executable: String
    private let environment: [String: String]
    private let report: @Sendable (Report) -> Void
    private let state = Mutex(State())

    /// How long it may take to prove itself, or to fork.
    private static let patience: Int32 = 2000
    /// After so many deaths it is left alone.
    private static let deathsMax = 5

    package init(
        executable: String,
        environment: [String: String],
        report: @escaping @Sendable (Report) -> Void
    ) {
        self.executable = executable
        self.environment = environment
        self.report = report
    }

    deinit {
        state.withLock { state in
            shut(&state)
            state.process?.signal(SIGKILL)
        }
    }

    /// Brings it up, on a thread of its own.
    package func start() {
        startThread("template") { [self] in bringUp() }
    }

    /// Ends it, and calls `done` when it is gone; workers that it has forked stay.
    package func stop(_ done: @escaping @Sendable () -> Void = {}) {
        let process = state.withLock { state in
            state.stopped = true
            shut(&state)
            if state.process != nil { state.done = done }
            return state.process
        }
        if let process { process.signal(SIGKILL) } else { done() }
    }

    package var isReady: Bool { state.withLock { $0.socket >= 0 } }
    package var pid: Int32? { state.withLock { $0.process?.pid } }

    /// Forks a worker with these descriptors as its 1, 2, 3 and 4; nil where it has to be started plainly.
    func fork(_ descriptors: [Int32]) -> Int32? {
        state.withLock { state in
            guard state.socket >= 0 else { return nil }
            switch WorkerTemplate.ask(state.socket, 1, descriptors) {
            case .success(let pid): return pid
            case .failure(.gone): break
            // What does not answer, or cannot fork, is not asked again.
            case .failure(.unfit): state.mayReturn = false
            }
            shut(&state)
            state.process?.signal(SIGKILL)
            return nil
        }
    }

    // MARK: Life

    private func bringUp() {
        var ends: [Int32] = [0, 0]
        guard swiftlet_seqpacket(&ends) == 0 else { return report(.off("no descriptors are left for it")) }
        var spec = ChildSpec(executable, ["--template"], environment: environment)
        spec.descriptors = [3: ends[1]]
        do {
            // Its end is not told before it is known here.
            try state.withLock { state in
                state.process = try ChildProcess.spawn(spec) { [weak self] in self?.ended($0) }
            }
            close(ends[1])
        } catch {
            ends.forEach { close($0) }
            return report(.off("\(error)"))
        }
        let fault = probe(ends[0])
        let isReady = state.withLock { state in
            guard fault == nil, !state.stopped else {
                close(ends[0])
                state.process?.signal(SIGKILL)
                return false
            }
            state.socket = ends[0]
            state.mayReturn = true
            return true
        }
        if isReady { report(.ready) } else if let fault { report(.off(fault)) }
    }

    /// Has it fork a process that runs a task; what went wrong, or nil.
    private func probe(_ socket: Int32) -> String? {
        var ends: [Int32] = [0, 0]
        guard swiftlet_socketpair(&ends) == 0 else { return "no descriptors are left for its probe" }
        defer { close(ends[0]) }
        let pid = WorkerTemplate.ask(socket, 2, [Int32](repeating: ends[1], count: 4))
        close(ends[1])
        guard case .success(let pid) = pid, let child = ChildProcess.adopt(pid, onExit: { _ in }) else {
            return "it could not fork: it has more than one thread, or the kernel refuses"
        }
        var answer = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        guard poll(&answer, 1, WorkerTemplate.patience) > 0, read(ends[0], &byte, 1) == 1 else {
            child.signal(SIGKILL)
            return "a task in a forked process did not run"
        }
        return nil
    }

    /// Ends the process that waits to become a worker: it is this one's child, and in the template's group.
    private func reapWaiting(_ template: Int32) {
        kill(-template, SIGKILL)
        while waitpid(-template, nil, 0) > 0 {}
    }

    private func ended(_ status: ExitStatus) {
        let again = state.withLock { state in
            shut(&state)
            if let template = state.process?.pid { reapWaiting(template) }
            state.process = nil
            state.deaths += 1
            defer { state.mayReturn = false }
            return state.mayReturn && !state.stopped && state.deaths < WorkerTemplate.deathsMax
        }
        let done = state.withLock { state in
            defer { state.done = {} }
            return state.stopped ? state.done : nil
        }
        if let done { return done() }
        report(.off("it ended: \(status)"))
        guard again else { return }
        startThread("template") { [self] in
            sleep(1)
            if !state.withLock({ $0.stopped }) { bringUp() }
        }
    }

    private func shut(_ state: inout State) {
        if state.socket >= 0 { close(state.socket) }
        state.socket = -1
    }

    private enum AskFailure: Error {
        /// The other end is closed.
        case gone
        /// No answer in time, or that it cannot fork.
        case unfit
    }

    /// One request and its answer: a process id.
    private static func ask(
        _ socket: Int32,
        _ word: Int32,
        _ descriptors: [Int32]
    ) -> Result<Int32, AskFailure> {
        guard swiftlet_send(socket, word, descriptors, Int32(descriptors.count)) == 0 else {
            return .failure(.gone)
        }
        var answer = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        var pid: Int32 = 0
        guard poll(&answer, 1, patience) > 0 else { return .failure(.unfit) }
        guard swiftlet_receive(socket, &pid, nil, 0) == 0 else { return .failure(.gone) }
        return pid > 0 ? .success(pid) : .failure(.unfit)
    }
}
