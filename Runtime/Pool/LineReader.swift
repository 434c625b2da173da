import FunctionCore
import NIOCore

/// Cuts what a process prints into lines of at most 8 KiB, as far as its budget goes.
// SAFETY: all state is touched on the channel's loop only, where handlers and its timers run.
final class LineReader: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private let source: String
    private let link: WorkerLink
    private var line: [UInt8] = []
    private var budget = OutputBudget()
    private var isTurning = false
    private static let lineMax = 8192

    init(source: String, link: WorkerLink) {
        self.source = source
        self.link = link
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data).readableBytesView
        for byte in bytes {
            if byte == 10 || line.count >= LineReader.lineMax { emit() }
            if byte != 10 { line.append(byte) }
        }
        // Who prints faster waits in his `write`, and costs the host no more than that.
        if !budget.mayRead(bytes.count) { setReading(false, context.channel) }
        if !isTurning {
            isTurning = true
            let channel = context.channel
            context.eventLoop.scheduleTask(in: .seconds(1)) { [weak self] in
                guard let self else { return }
                isTurning = false
                tellDropped()
                setReading(true, channel)
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        emit()
        tellDropped()
    }

    private func setReading(_ on: Bool, _ channel: any Channel) {
        channel.setOption(.autoRead, value: on).whenFailure { _ in }
    }

    private func emit() {
        guard !line.isEmpty else { return }
        if budget.takes(line.count) { link.printed(String(decoding: line, as: UTF8.self), source) }
        line.removeAll(keepingCapacity: true)
    }

    private func tellDropped() {
        guard let dropped = budget.turn() else { return }
        let most = "\(OutputBudget.linesMax) lines or \(OutputBudget.bytesMax >> 10) KiB in a second"
        link.printed(
            "\(dropped.lines) lines (\(dropped.bytes) bytes) of \(source) were dropped: more than \(most)",
            "host"
        )
    }
}

/// How much of an output is read and passed on within a second.
struct OutputBudget {
    static let linesMax = 1000
    static let bytesMax = 256 << 10
    /// What is read, and dropped beyond the rest: a burst is over soon, a flood costs the host little.
    static let readMax = 4 << 20

    private var lines = 0
    private var bytes = 0
    private var read = 0
    private var dropped = (lines: 0, bytes: 0)

    /// Counts what has been read; false where no more should be in this second.
    mutating func mayRead(_ count: Int) -> Bool {
        read += count
        return read < OutputBudget.readMax
    }

    /// Whether a line is passed on; it is counted as dropped otherwise.
    mutating func takes(_ count: Int) -> Bool {
        guard lines < OutputBudget.linesMax, bytes + count <= OutputBudget.bytesMax else {
            dropped.lines += 1
            dropped.bytes += count
            return false
        }
        lines += 1
        bytes += count
        return true
    }

    /// A second is over; what was dropped in it, if anything.
    mutating func turn() -> (lines: Int, bytes: Int)? {
        let dropped = self.dropped
        self = OutputBudget()
        return dropped.lines > 0 ? dropped : nil
    }
}
