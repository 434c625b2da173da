import FunctionCore
import NIOCore
import Processes
import Wire

/// A worker's process, as its link holds it.
package protocol WorkerProcess: Sendable {
    var pid: Int32 { get }
    /// Signals the process and its group; does nothing once it has ended.
    func signal(_ signal: Int32)
}

extension ChildProcess: WorkerProcess {}

/// Starts workers that do not speak frames themselves, and speaks frames for them.
///
/// Pool and machine see a worker like any other: what it is asked and answers crosses the same channel.
package protocol WorkerAdapter: Sendable {
    /// Starts a worker; blocks as any start does.
    ///
    /// `onExit` is to be called once, when the worker has nothing more to say: its process may have ended before.
    func start(
        _ place: WorkerPlace,
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) throws -> any WorkerProcess
    /// The line with which an invocation's log begins: told by the pool, so that it stands before all that a process
    /// prints.
    func opening(of invocation: String) -> String
}

/// What a worker is given by its pool.
package struct WorkerPlace: Sendable {
    /// Where its pool is at home.
    package let loop: any EventLoop
    /// The bundle's executable, which can take confinement before it becomes another program.
    package let launcher: String
    /// The worker's ends of its outputs, of the channel and of the shared file; whoever keeps one copies it.
    package let output: Int32
    package let errors: Int32
    package let channel: Int32
    package let page: Int32
    /// What it is to take from itself.
    package let confinement: Confinement
    /// Whether the kernel has ended it for its memory; asked once it has ended.
    package let isExhausted: @Sendable () -> Bool
}

extension FunctionError {
    /// The code with which a foreign worker tells its first invocation why it could not start.
    package static let startFailed = "init_failed"
}
