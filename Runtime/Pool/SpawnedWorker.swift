import CShims
import Glibc
import Isolation
import NIOCore
import NIOPosix
import Processes
import Wire

/// A worker that has just been started: the process and the host's ends of its descriptors.
struct SpawnedWorker: Sendable {
    struct Output: Sendable {
        let name: String
        let descriptor: Int32
    }

    /// How a worker's process has ended.
    struct End: Sendable {
        let status: ExitStatus
        /// Whether the kernel has ended it for its memory.
        let outOfMemory: Bool
    }

    let process: any WorkerProcess
    let socket: Int32
    let outputs: [Output]
    /// What it is to take from itself.
    let confinement: Confinement
    let cell: WorkerCell?

    /// Asks the kernel how a worker ended: apart from the threads that write files, behind whose work a caller would
    /// wait for seconds to hear that its worker is lost.
    private static let ends: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        return pool
    }()

    /// Starts a worker; blocks for the time of a fork or a `posix_spawn`, about half a millisecond.
    static func start(
        _ program: WorkerProgram,
        _ needs: WorkerIsolation.Needs,
        page: Int32,
        on loop: any EventLoop,
        onExit: @escaping @Sendable (End) -> Void
    ) throws -> SpawnedWorker {
        var opened: [Int32] = []
        let cell = try program.isolation?.cell(for: needs)
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
            let descriptors = [output.worker, errors.worker, socket.worker, page]
            let ended: @Sendable (ExitStatus) -> Void = { status in
                guard let cell else { return onExit(End(status: status, outOfMemory: false)) }
                ends.submit { _ in
                    onExit(End(status: status, outOfMemory: cell.wasExhausted))
                    NIOThreadPool.singleton.submit { _ in cell.clear() }
                }
            }
            let process: any WorkerProcess
            if let adapter = program.adapter {
                let place = WorkerPlace(
                    loop: loop,
                    launcher: program.executable,
                    output: output.worker,
                    errors: errors.worker,
                    channel: socket.worker,
                    page: page,
                    confinement: cell?.confinement(for: 0) ?? plain(needs),
                    isExhausted: { cell?.wasExhausted ?? false }
                )
                process = try adapter.start(place, onExit: ended)
            } else {
                process = try self.process(program, descriptors, onExit: ended)
            }
            [socket.worker, output.worker, errors.worker].forEach { close($0) }
            return SpawnedWorker(
                process: process,
                socket: socket.host,
                outputs: [
                    Output(name: "stdout", descriptor: output.host),
                    Output(name: "stderr", descriptor: errors.host),
                ],
                confinement: cell?.confinement(for: process.pid) ?? plain(needs),
                cell: cell
            )
        } catch {
            opened.forEach { close($0) }
            cell?.clear()
            throw error
        }
    }

    /// Forked by the template where there is one, else started; the descriptors are its 1, 2, 3 and 4.
    private static func process(
        _ program: WorkerProgram,
        _ descriptors: [Int32],
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) throws -> ChildProcess {
        if let pid = program.template?.fork(descriptors),
            let process = ChildProcess.adopt(pid, onExit: onExit)
        {
            return process
        }
        var spec = ChildSpec(program.executable, ["--worker"], environment: program.environment)
        for (index, descriptor) in descriptors.enumerated() {
            spec.descriptors[Int32(index + 1)] = descriptor
        }
        return try ChildProcess.spawn(spec, onExit: onExit)
    }

    private static func plain(_ needs: WorkerIsolation.Needs) -> Confinement {
        var confinement = Confinement()
        confinement.memory = UInt64(needs.memory)
        confinement.openFiles = UInt32(clamping: needs.openFiles)
        confinement.cpuSeconds = UInt32(clamping: needs.cpuSeconds)
        return confinement
    }
}
