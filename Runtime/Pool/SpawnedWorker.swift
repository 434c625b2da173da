import CShims
import Glibc
import Processes

/// A worker that has just been started: the process and the host's ends of its descriptors.
struct SpawnedWorker: Sendable {
    struct Output: Sendable {
        let name: String
        let descriptor: Int32
    }

    let process: ChildProcess
    let socket: Int32
    let outputs: [Output]

    /// Starts a worker; blocks for the time of a `posix_spawn`, about half a millisecond.
    static func start(
        _ program: WorkerProgram,
        page: Int32,
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) throws -> SpawnedWorker {
        var opened: [Int32] = []
        func pair(_ make: (UnsafeMutablePointer<Int32>) -> Int32) throws -> (host: Int32, worker: Int32) {
            var ends: [Int32] = [0, 0]
            let error = make(&ends)
            guard error == 0 else {
                throw SpawnError(executable: program.executable, reason: String(cString: strerror(error)))
            }
            opened += ends
            return (ends[0], ends[1])
        }
        do {
            let socket = try pair { swiftlet_socketpair($0) }
            let output = try pair { swiftlet_pipe($0, false) }
            let errors = try pair { swiftlet_pipe($0, false) }
            var spec = ChildSpec(program.executable, ["--worker"], environment: program.environment)
            spec.descriptors = [1: output.worker, 2: errors.worker, 3: socket.worker, 4: page]
            let process = try ChildProcess.spawn(spec, onExit: onExit)
            [socket.worker, output.worker, errors.worker].forEach { close($0) }
            return SpawnedWorker(
                process: process,
                socket: socket.host,
                outputs: [
                    Output(name: "stdout", descriptor: output.host),
                    Output(name: "stderr", descriptor: errors.host),
                ]
            )
        } catch {
            opened.forEach { close($0) }
            throw error
        }
    }
}
