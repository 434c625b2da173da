import FunctionCore
import Glibc
import NIOCore
import Processes
import Synchronization

/// The offline provider's process: this program once more, as `offline-provider`.
///
/// It ends with its standard input, so it cannot outlive its host. Where it ends by itself it is started
/// again on the same port, at most once a second.
package final class OfflineChild: Sendable {
    package let port: Int
    private let program: String
    private let loop: any EventLoop
    private let lost: @Sendable (String) -> Void
    private let ends: AsyncStream<End>.Continuation
    private let state: Mutex<State>

    /// The end of the process that was the `number`th to be started.
    private struct End: Sendable {
        var number: Int
        var status: ExitStatus
    }

    private struct Running: Sendable {
        var number: Int
        var port: Int
        var process: ChildProcess
        var input: Int32

        func stop() {
            close(input)
            process.signal(SIGTERM)
        }
    }

    private struct State {
        var running: Running?
        var started = 1
        var stopping = false
    }

    private init(
        _ running: Running,
        _ program: String,
        _ loop: any EventLoop,
        _ ends: AsyncStream<End>.Continuation,
        _ lost: @escaping @Sendable (String) -> Void
    ) {
        self.port = running.port
        self.program = program
        self.loop = loop
        self.ends = ends
        self.lost = lost
        self.state = Mutex(State(running: running))
    }

    /// Starts it and waits until it says its port, ten seconds at most.
    ///
    /// `lost` hears why it had to be started again.
    package static func start(
        program: String,
        on loop: any EventLoop,
        lost: @escaping @Sendable (String) -> Void
    ) async throws(HostError) -> OfflineChild {
        // The ends of those that failed to start are not looked at; the newest is the one that counts.
        let (exits, ends) = AsyncStream.makeStream(of: End.self, bufferingPolicy: .bufferingNewest(8))
        let running = try await launch(program, 1, port: 0, ends)
        let child = OfflineChild(running, program, loop, ends, lost)
        Task { await child.supervise(exits) }
        return child
    }

    package func stop() {
        let running = state.withLock { state in
            state.stopping = true
            return state.running.take()
        }
        ends.finish()
        running?.stop()
    }

    private var isStopping: Bool { state.withLock { $0.stopping } }

    private func supervise(_ exits: AsyncStream<End>) async {
        for await end in exits {
            let old = state.withLock { state in
                state.running?.number == end.number ? state.running.take() : nil
            }
            guard let old else { continue }
            close(old.input)
            lost("it ended with \(end.status)")
            repeat {
                try? await loop.scheduleTask(in: .seconds(1)) {}.futureResult.get()
            } while await !relaunch()
        }
    }

    /// Whether it runs again, or needs not.
    private func relaunch() async -> Bool {
        if isStopping { return true }
        let number = state.withLock { state in
            state.started += 1
            return state.started
        }
        guard let next = try? await OfflineChild.launch(program, number, port: port, ends) else {
            return false
        }
        let isWanted = state.withLock { state in
            if !state.stopping { state.running = next }
            return !state.stopping
        }
        if !isWanted { next.stop() }
        return true
    }

    private static func launch(
        _ program: String,
        _ number: Int,
        port: Int,
        _ ends: AsyncStream<End>.Continuation
    ) async throws(HostError) -> Running {
        var input: [Int32] = [0, 0]
        var output: [Int32] = [0, 0]
        guard pipe(&input) == 0 else { throw noDescriptors }
        guard pipe(&output) == 0 else {
            input.forEach { close($0) }
            throw noDescriptors
        }
        for end in input + output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var spec = ChildSpec(program, ["offline-provider", "--port", String(port)])
        spec.descriptors = [0: input[0], 1: output[1], 2: 2]
        let process: ChildProcess
        do {
            process = try ChildProcess.spawn(spec) { ends.yield(End(number: number, status: $0)) }
        } catch {
            (input + output).forEach { close($0) }
            throw HostError(.unavailable, "\(error)")
        }
        close(input[0])
        close(output[1])
        let reading = output[0]
        let line = await withCheckedContinuation { continuation in
            startThread("offline-start") { continuation.resume(returning: readLine(reading)) }
        }
        close(reading)
        let running = Running(
            number: number,
            port: line.flatMap(Int.init) ?? 0,
            process: process,
            input: input[1]
        )
        guard running.port > 0 else {
            process.signal(SIGKILL)
            running.stop()
            throw HostError(
                .unavailable,
                "the offline provider did not start; run `swiftlet offline-provider` to see why"
            )
        }
        return running
    }

    private static let noDescriptors = HostError(
        .failed,
        "no descriptors are left for the offline provider"
    )

    private static func readLine(_ descriptor: Int32) -> String? {
        var text: [UInt8] = []
        let deadline = Monotonic.now + .seconds(10)
        while !text.contains(10), text.count < 100 {
            var polls = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
            let left = (deadline - Monotonic.now).nanoseconds / 1_000_000
            guard left > 0, poll(&polls, 1, Int32(left)) > 0 else { return nil }
            var byte: UInt8 = 0
            guard read(descriptor, &byte, 1) == 1 else { return nil }
            text.append(byte)
        }
        return String(decoding: text.prefix { $0 != 10 }, as: UTF8.self)
    }
}
