import CShims
import FunctionCore
import Glibc
import Wire

/// The worker's loop: one blocking thread reads frames; synchronous handlers run on it, all others in a task
/// each.
///
/// It reads all there is, handles it, and writes once: under load a hop costs a fraction of a system call.
final class Worker: Sendable {
    static let protocolVersion = Frame.protocolVersion

    private let entries: [FunctionEntry]
    private let descriptor: Int32
    private let page: SharedPage
    private let channel: HostChannel
    private let calls: CallTable
    private let running = RunningTable()
    private let bodies: LargeBodies
    private let started = Monotonic.now

    init(entries: [FunctionEntry], channel descriptor: Int32, page: UnsafeMutableRawPointer, file: Int32) {
        self.entries = entries
        self.descriptor = descriptor
        // SAFETY: the caller's page stays mapped for the life of the process.
        self.page = SharedPage(page)
        self.channel = HostChannel(descriptor: descriptor)
        self.calls = CallTable(channel: channel)
        self.bodies = LargeBodies(file: file)
    }

    func run() -> Never {
        let decoder = FrameDecoder()
        do {
            guard let hello = try greeting(decoder) else { exit(0) }
            let runner = InvocationRunner(
                handler: prepare(hello),
                function: hello.function,
                environment: hello.environment,
                page: page,
                clock: { [page] in page.now },
                channel: channel,
                lateSender: LateSender(channel: channel),
                calls: calls,
                running: running,
                bodies: bodies
            )
            // Only a synchronous handler keeps this thread from seeing the end of the channel by itself.
            if runner.isSerial { watchForHangUp(descriptor) }
            channel.send { ready(serial: runner.isSerial).write(to: &$0) }
            while true {
                while let frame = try decoder.next() { try receive(frame, runner) }
                channel.flush()
                if bodies.areIdle, !hasInput(descriptor, within: LargeBodies.keptFor) { bodies.release() }
                // The host is gone, and with it everything this process is for.
                if !readSome(into: decoder) { _exit(0) }
            }
        } catch {
            leave(70, "the host's frames cannot be read: \(error)")
        }
    }

    private func greeting(_ decoder: FrameDecoder) throws -> Hello? {
        while true {
            if let frame = try decoder.next() {
                guard frame.kind == .hello else { throw WireError("\(frame.kind) where hello was due") }
                return try Hello(frame.payload)
            }
            if !readSome(into: decoder) { return nil }
        }
    }

    private func readSome(into decoder: FrameDecoder) -> Bool {
        decoder.fill { WorkerKit.readSome(descriptor, into: $0).count } > 0
    }

    /// Confined first, then user code: a handler's `init` is the first of it.
    private func prepare(_ hello: Hello) -> Handler {
        if let fault = confine(hello.confinement) { refuse("it could not be confined: \(fault)") }
        page.watchMemory()
        guard let entry = entries.first(where: { $0.name == hello.function }) else {
            let names = entries.map(\.name).joined(separator: ", ")
            refuse("the bundle has no function \(hello.function); it has \(names)")
        }
        do {
            return try entry.make()
        } catch {
            refuse("\(hello.function) could not be made: \(error)")
        }
    }

    private func ready(serial: Bool = false, failure: String? = nil) -> Ready {
        let startup = UInt32(clamping: (Monotonic.now - started).nanoseconds / 1000)
        return Ready(startup: startup, serial: serial, failure: failure)
    }

    private func refuse(_ reason: String) -> Never {
        channel.send { ready(failure: reason).write(to: &$0) }
        exit(78)
    }

    private func receive(_ frame: Frame, _ runner: InvocationRunner) throws {
        if frame.id & Frame.callBit != 0 { return try calls.receive(frame) }
        switch frame.kind {
        case .invoke:
            let (head, rest) = try InvokeHead.read(frame.payload)
            runner.begin(head, frame.isElsewhere ? try bodies.read(rest) : Bytes(Array(rest)), id: frame.id)
        case .cancel:
            running.cancel(frame.id)
        case .credit:
            var reader = WireReader(frame.payload)
            running.grant(frame.id, Int(try reader.integer(UInt32.self)))
        case .taken:
            bodies.taken(frame.id)
        case .drain:
            if running.drain() {
                channel.flush()
                exit(0)
            }
        default:
            throw WireError("\(frame.kind) is not for a worker")
        }
    }
}
