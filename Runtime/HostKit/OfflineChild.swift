import FunctionCore
import Glibc
import Processes
import Synchronization

/// The offline provider's process: this program once more, as `offline-provider`. It ends with its standard input, so it
/// cannot outlive its host.
package final class OfflineChild: Sendable {
    package let port: Int
    private let process: ChildProcess
    private let input: Int32

    private init(port: Int, process: ChildProcess, input: Int32) {
        self.port = port
        self.process = process
        self.input = input
    }

    /// Starts it and waits until it says its port, ten seconds at most.
    package static func start(program: String) async throws(HostError) -> OfflineChild {
        var input: [Int32] = [0, 0]
        var output: [Int32] = [0, 0]
        guard pipe(&input) == 0, pipe(&output) == 0 else {
            throw HostError(.failed, "no descriptors are left for the offline provider")
        }
        for end in input + output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var spec = ChildSpec(program, ["offline-provider"])
        spec.descriptors = [0: input[0], 1: output[1], 2: 2]
        let process: ChildProcess
        do {
            process = try ChildProcess.spawn(spec) { _ in }
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
        guard let port = line.flatMap(Int.init) else {
            process.signal(SIGKILL)
            close(input[1])
            throw HostError(.unavailable, "the offline provider did not start; run `swiftlet offline-provider` to see why")
        }
        return OfflineChild(port: port, process: process, input: input[1])
    }

    package func stop() {
        close(input)
        process.signal(SIGTERM)
    }

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
