import CShims
import FunctionCore
import Glibc
import NIOCore
import NIOPosix
import Processes
import Wire

/// One worker process: its channel, its shared page, its outputs. All of it belongs to one event loop, on
/// which its owner hears frames and, once, the end.
// SAFETY: every member that changes is touched on `loop` only; the handlers it installs run there.
final class WorkerLink: @unchecked Sendable {
    /// What a link tells its pool; on the link's loop.
    protocol Owner: AnyObject, Sendable {
        func received(_ frame: Frame, from link: WorkerLink)
        func printed(_ line: String, source: String, by link: WorkerLink)
        func broke(_ link: WorkerLink, reason: String)
        func gone(_ link: WorkerLink, reason: String)
    }

    let id: PoolMachine.WorkerID
    let loop: any EventLoop
    private(set) var pid: Int32 = 0
    let page: SharedPage
    /// An invocation on the worker: to whose lines its prints belong, and where in the shared page it is
    /// marked as begun.
    struct Served {
        let slot: UInt16
        let invocation: String
        let traceID: String
    }

    /// What the worker has in flight, by frame id; also what its caller no longer waits for.
    private(set) var served: [UInt32: Served] = [:]
    /// What the worker was done with last.
    private(set) var lastServed: Served?
    private var freeSlots: [UInt16] = []
    private var nextSlot: UInt16 = 0

    // Held until the process is gone and its outputs are closed: lines may still come after the end.
    private let owner: any Owner
    // SAFETY: the mapping lives as long as the link; `deinit` ends it.
    private let mapping: UnsafeMutableRawPointer
    private let memory: Int32
    private var process: ChildProcess?
    private var channel: (any Channel)?
    private var outputs: [any Channel] = []
    private var writer = WireWriter()
    private var flushDue = false
    private var status: ExitStatus?
    private var channelClosed = false
    private var ended = false
    private var killReason: String?

    init(id: PoolMachine.WorkerID, loop: any EventLoop, owner: any Owner, clock: ClockReading) throws {
        self.id = id
        self.loop = loop
        self.owner = owner
        memory = swiftlet_memfd("swiftlet-page", SharedPage.length)
        guard memory >= 0,
            let mapping = mmap(nil, SharedPage.length, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0),
            mapping != MAP_FAILED
        else {
            let reason = String(cString: strerror(errno))
            if memory >= 0 { close(memory) }
            throw SpawnError(executable: "worker", reason: "its shared page cannot be made: \(reason)")
        }
        self.mapping = mapping
        // SAFETY: the mapping is `length` bytes long and outlives the page, see above.
        page = SharedPage(mapping)
        page.setClock(wall: clock.wall, monotonic: clock.monotonic, speed: clock.speed)
    }

    deinit {
        munmap(mapping, SharedPage.length)
        close(memory)
    }

    // MARK: Life

    /// Starts the process off the loop and says hello; failures come as `gone`.
    func start(_ program: WorkerProgram, hello: Hello) {
        let page = memory
        let spawned = NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
            try SpawnedWorker.start(program, page: page) { [weak self] status in
                guard let self else { return }
                self.loop.execute { self.exited(status) }
            }
        }
        spawned.whenComplete { [self] result in
            switch result {
            case .success(let worker): connect(worker, hello)
            case .failure(let error): end("\(error)")
            }
        }
    }

    private func connect(_ worker: SpawnedWorker, _ hello: Hello) {
        process = worker.process
        pid = worker.process.pid
        if killReason != nil { worker.process.signal(SIGKILL) }
        worker.outputs.forEach { output in
            NIOPipeBootstrap(group: loop)
                .channelInitializer { [self] channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            LineReader(source: output.name, link: self)
                        )
                    }
                }
                .takingOwnershipOfDescriptor(input: output.descriptor)
                .whenComplete { [self] result in
                    switch result {
                    case .success(let channel): outputs.append(channel)
                    case .failure: close(output.descriptor)
                    }
                }
        }
        ClientBootstrap(group: loop)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 128 * 1024))
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FrameReader(link: self))
                }
            }
            .withConnectedSocket(worker.socket)
            .whenComplete { [self] result in
                switch result {
                case .success(let channel):
                    self.channel = channel
                    hello.write(to: &writer)
                    flush()
                case .failure(let error):
                    kill("its channel could not be opened: \(error)")
                    channelClosed = true
                    endIfOver()
                }
            }
    }

    /// Ends the process; `gone` follows.
    func kill(_ why: String) {
        killReason = killReason ?? why
        process?.signal(SIGKILL)
    }

    private func exited(_ status: ExitStatus) {
        self.status = status
        // What it wrote before it died is still to be read; a grandchild that holds the socket may not delay
        // the end.
        loop.scheduleTask(in: .milliseconds(200)) { [weak self] in
            guard let self, !self.ended else { return }
            self.channelClosed = true
            self.endIfOver()
        }
        endIfOver()
    }

    fileprivate func channelEnded() {
        channelClosed = true
        if status == nil {
            // A process that ends closes its channel a moment before its end is reported; one that lives on
            // is of no use.
            loop.scheduleTask(in: .milliseconds(100)) { [weak self] in
                guard let self, self.status == nil else { return }
                self.kill("it closed its channel")
            }
        }
        endIfOver()
    }

    private func endIfOver() {
        guard channelClosed, let status else { return }
        end(killReason ?? "\(status)")
    }

    private func end(_ reason: String) {
        guard !ended else { return }
        ended = true
        channel?.close(promise: nil)
        channel = nil
        // Its last lines are still to be read; a grandchild that left the group may not keep the pipes open
        // for longer.
        loop.scheduleTask(in: .seconds(1)) { [self] in
            outputs.forEach { $0.close(promise: nil) }
            outputs = []
        }
        owner.gone(self, reason: reason)
    }

    // MARK: Slots

    /// Gives a frame id a slot of the page.
    func occupy(_ key: UInt32, invocation: String, traceID: String) -> UInt16 {
        let slot: UInt16
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = nextSlot
            nextSlot += 1
        }
        page.markBegun(slot: slot, id: 0)
        served[key] = Served(slot: slot, invocation: invocation, traceID: traceID)
        return slot
    }

    /// Takes the slot back; false where the worker does not have that frame id in flight.
    func vacate(_ key: UInt32) -> Bool {
        guard let done = served.removeValue(forKey: key) else { return false }
        freeSlots.append(done.slot)
        lastServed = done
        return true
    }

    /// What the worker has begun of what is in flight.
    var begun: Set<UInt32> {
        Set(served.filter { page.hasBegun(slot: $0.value.slot, id: $0.key) }.keys)
    }

    // MARK: Frames

    /// Writes frames; they leave together at the end of the loop's tick.
    func send(_ body: (inout WireWriter) -> Void) {
        body(&writer)
        guard !flushDue else { return }
        flushDue = true
        loop.execute { [self] in flush() }
    }

    private func flush() {
        flushDue = false
        guard let channel, !writer.isEmpty else { return }
        var buffer = channel.allocator.buffer(capacity: writer.bytes.count)
        buffer.writeBytes(writer.bytes)
        writer.removeAll()
        channel.writeAndFlush(buffer, promise: nil)
    }

    fileprivate func received(_ frame: Frame) { owner.received(frame, from: self) }
    fileprivate func printed(_ line: String, _ source: String) {
        owner.printed(line, source: source, by: self)
    }
    fileprivate func broke(_ error: WireError) {
        owner.broke(self, reason: "its frames cannot be read: \(error)")
    }
}

/// Cuts what a worker writes into frames.
private final class FrameReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let link: WorkerLink
    private var decoder = FrameDecoder()
    private var broken = false

    init(link: WorkerLink) {
        self.link = link
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !broken else { return }
        decoder.append(unwrapInboundIn(data).readableBytesView)
        do throws(WireError) {
            while let frame = try decoder.next() { link.received(frame) }
        } catch {
            broken = true
            link.broke(error)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        link.channelEnded()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Cuts what a process prints into lines of at most 8 KiB.
private final class LineReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let source: String
    private let link: WorkerLink
    private var line: [UInt8] = []
    private static let lineMax = 8192

    init(source: String, link: WorkerLink) {
        self.source = source
        self.link = link
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for byte in unwrapInboundIn(data).readableBytesView {
            if byte == 10 || line.count >= LineReader.lineMax { emit() }
            if byte != 10 { line.append(byte) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        emit()
    }

    private func emit() {
        guard !line.isEmpty else { return }
        link.printed(String(decoding: line, as: UTF8.self), source)
        line.removeAll(keepingCapacity: true)
    }
}
