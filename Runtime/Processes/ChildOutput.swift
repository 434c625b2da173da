import CShims
import FunctionCore
import Glibc
import Synchronization

/// What a child that ran to its end left behind.
package struct ChildOutput: Sendable {
    package var status: ExitStatus
    /// The last bytes of its standard output.
    package var output: Bytes
    /// The last bytes of its standard error.
    package var errors: Bytes
    /// Whether it was killed because its time was over.
    package var timedOut: Bool
}

extension ChildProcess {
    /// Runs a child to its end and keeps the last `outputLimit` bytes of each of its outputs.
    ///
    /// Cancellation and the time limit kill the child's whole group at once; the call still returns when it
    /// is gone.
    package static func run(
        _ spec: ChildSpec,
        outputLimit: Int = 1 << 20,
        timeout: Duration
    ) async throws -> ChildOutput {
        let run = ChildRun(limit: outputLimit)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    try run.start(spec, timeout: timeout, continuation)
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            run.kill()
        }
    }
}

/// One `run`: its pipes are read by a thread of its own until both are closed and the child is reaped.
private final class ChildRun: Sendable {
    private struct State {
        var process: ChildProcess?
        var killed = false
        var status: ExitStatus?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
    }

    func kill() {
        let process = state.withLock { state in
            state.killed = true
            return state.process
        }
        process?.signal(SIGKILL)
    }

    func start(
        _ spec: ChildSpec,
        timeout: Duration,
        _ continuation: CheckedContinuation<ChildOutput, any Error>
    ) throws {
        var pipes: [(read: Int32, write: Int32)] = []
        for _ in 0..<3 {
            var ends: [Int32] = [0, 0]
            guard swiftlet_pipe(&ends, false) == 0 else {
                for pipe in pipes { [pipe.read, pipe.write].forEach { close($0) } }
                throw SpawnError(executable: spec.executable, reason: "no descriptors are left for its pipes")
            }
            pipes.append((ends[0], ends[1]))
        }
        var spec = spec
        spec.descriptors[1] = pipes[0].write
        spec.descriptors[2] = pipes[1].write
        let descriptors = pipes.map(\.read)
        let endedWrite = pipes[2].write
        defer { pipes[..<2].forEach { close($0.write) } }
        let process: ChildProcess
        do {
            process = try ChildProcess.spawn(spec) { [self] status in
                state.withLock { $0.status = status }
                close(endedWrite)
            }
        } catch {
            (descriptors + [endedWrite]).forEach { close($0) }
            throw error
        }
        let killed = state.withLock { state in
            state.process = process
            return state.killed
        }
        if killed { process.signal(SIGKILL) }
        let deadline = Monotonic.now + timeout
        startThread("child-run") { [self] in
            continuation.resume(returning: follow(process, descriptors, until: deadline))
        }
    }

    /// Reads until the child has ended.
    ///
    /// A grandchild that keeps a pipe open cannot hold the call: it gets 200 ms.
    private func follow(
        _ process: ChildProcess,
        _ descriptors: [Int32],
        until deadline: Monotonic
    ) -> ChildOutput {
        var tails: [[UInt8]] = [[], []]
        var open: Set<Int> = [0, 1]
        var deadline = deadline
        var timedOut = false
        var ended = false
        while !ended || !open.isEmpty {
            var polls = descriptors.enumerated().map { index, descriptor in
                let wanted = index == 2 ? !ended : open.contains(index)
                return pollfd(fd: wanted ? descriptor : -1, events: Int16(POLLIN), revents: 0)
            }
            let left = max(0, (deadline - Monotonic.now).nanoseconds / 1_000_000)
            // The time counts however much there is to read: who writes without end is stopped as well.
            if poll(&polls, nfds_t(polls.count), Int32(min(left + 1, 1_000_000))) < 0 { continue }
            if polls[2].revents != 0 {
                ended = true
                deadline = Monotonic.now + .milliseconds(200)
            } else if Monotonic.now >= deadline {
                if ended { break }
                timedOut = true
                process.signal(SIGKILL)
                deadline = Monotonic.now + .seconds(5)
            }
            for index in 0..<2 where polls[index].revents != 0 {
                if !readTail(descriptors[index], into: &tails[index]) { open.remove(index) }
            }
        }
        descriptors.forEach { close($0) }
        let status = state.withLock { $0.status } ?? .signalled(SIGKILL)
        let ends = tails.map { Bytes(Array($0.suffix(limit))) }
        return ChildOutput(status: status, output: ends[0], errors: ends[1], timedOut: timedOut)
    }

    private func readTail(_ descriptor: Int32, into tail: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return count < 0 && errno == EINTR }
        tail += buffer[..<count]
        if tail.count > 2 * limit { tail.removeFirst(tail.count - limit) }
        return true
    }
}
