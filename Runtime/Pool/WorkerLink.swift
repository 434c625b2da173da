import CShims
import FunctionCore
import Glibc
import Invocations
import Isolation
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
        func received(_ frame: Frame, _ payload: ByteBuffer, from link: WorkerLink)
        func printed(_ line: String, source: String, by link: WorkerLink)
        func broke(_ link: WorkerLink, reason: String)
        func gone(_ link: WorkerLink, reason: String)
    }

    let id: PoolMachine.WorkerID
    let loop: any EventLoop
    private(set) var pid: Int32 = 0
    var startup = Duration.zero
    let page: SharedPage
    /// An invocation on the worker: to whose lines its prints belong, and where in the shared page it is
    /// marked as begun.
    struct Served {
        let slot: UInt16
        let invocation: String
        let traceID: String
    }

    /// What the worker has in flight, by frame id; also what its caller no longer waits for.
    private(set) var served = KeyTable<UInt32, Served>()
    /// What the worker was done with last.
    private(set) var lastServed: Served?
    private var freeSlots: [UInt16] = []
    private var nextSlot: UInt16 = 0

    // Held until the process is gone and its outputs are closed: lines may still come after the end.
    private let owner: any Owner
    // SAFETY: the mapping lives as long as the link; `deinit` ends it.
    private let mapping: UnsafeMutableRawPointer
    private let memory: Int32
    let bodies: WorkerBodies
    private var process: (any WorkerProcess)?
    private var channel: (any Channel)?
    private var outputs: [any Channel] = []
    private var writer = WireWriter()
    private var outgoing = ByteBuffer()
    private var flushDue = false
    private lazy var flushLater: @Sendable () -> Void = { [weak self] in self?.flush() }
    private var limits = Manifest.Limits()
    private var isForeign = false
    private var status: ExitStatus?
    /// Whether it ended for its memory.
    private(set) var wasExhausted = false
    private var channelClosed = false
    private var ended = false
    private var killReason: String?

    init(id: PoolMachine.WorkerID, loop: any EventLoop, owner: any Owner, clock: ClockReading) throws {
        self.id = id
        self.loop = loop
        self.owner = owner
        memory = swiftlet_memfd("swiftlet-page", SharedRegion.fileLength)
        guard memory >= 0,
            let mapping = mmap(nil, SharedPage.length, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0),
            mapping != MAP_FAILED
        else {
            let reason = String(cString: strerror(errno))
            if memory >= 0 { close(memory) }
            throw SpawnError(executable: "worker", reason: "its shared page cannot be made: \(reason)")
        }
        self.mapping = mapping
        bodies = WorkerBodies(file: memory, loop: loop)
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
    func start(_ program: WorkerProgram, _ manifest: Manifest) {
        let page = memory
        limits = manifest.limits
        isForeign = manifest.foreign != nil
        let needs = WorkerIsolation.Needs(manifest)
        let spawned = NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
            try SpawnedWorker.start(program, needs, page: page, on: self.loop) { [weak self] end in
                guard let self else { return }
                self.loop.execute { self.exited(end) }
            }
        }
        spawned.whenComplete { [self] result in
            switch result {
            case .success(let worker):
                enter(worker)
                let hello = Hello(
                    bundle: program.hash,
                    function: manifest.name,
                    confinement: worker.confinement,
                    environment: manifest.environment
                )
                connect(worker, hello)
            case .failure(let error): end("\(error)")
            }
        }
    }

    /// Has the worker's group take it in, beside its start.
    private func enter(_ worker: SpawnedWorker) {
        guard let cell = worker.cell else { return }
        let pid = worker.process.pid
        let onExcess: @Sendable () -> Void = { [weak self] in
            guard let self else { return }
            self.loop.execute { self.exceededMemory() }
        }
        let entered = NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
            try cell.enter(pid, onExcess: onExcess)
        }
        entered.whenFailure { [weak self] error in self?.kill("it could not be confined: \(error)") }
    }

    private func exceededMemory() {
        wasExhausted = true
        page.tellExhausted()
        kill(memoryReason)
    }

    private var memoryReason: String {
        "it needed more than the \(limits.memoryMiB) MiB of memory that limits.memory allows"
    }

    private func connect(_ worker: SpawnedWorker, _ hello: Hello) {
        process = worker.process
        pid = worker.process.pid
        if killReason != nil { worker.process.signal(SIGKILL) }
        ClientBootstrap(group: loop)
            .channelOption(.maxMessagesPerRead, value: 4)
            // A reply's body goes on as a slice of what was read, so a slow client holds that much: small
            // where replies are few, large where they come in batches.
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 16384, maximum: 256 * 1024)
            )
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
        // After the channel: the worker waits for its first words.
        openOutputs(worker)
    }

    private func openOutputs(_ worker: SpawnedWorker) {
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
    }

    /// Ends the process; `gone` follows.
    func kill(_ why: String) {
        killReason = killReason ?? why
        process?.signal(SIGKILL)
    }

    private func exited(_ end: SpawnedWorker.End) {
        status = end.status
        wasExhausted = wasExhausted || end.outOfMemory || page.isExhausted
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
            // A process that ends closes it a moment before that is reported; one that lives on is of no use.
            loop.scheduleTask(in: .milliseconds(100)) { [weak self] in
                guard let self, self.status == nil else { return }
                self.kill("it closed its channel")
            }
        }
        endIfOver()
    }

    private func endIfOver() {
        guard channelClosed, let status else { return }
        // A kill that came too late is no reason.
        end(status == .signalled(SIGKILL) ? killReason ?? reason(of: status) : reason(of: status))
    }

    private func reason(of status: ExitStatus) -> String {
        if wasExhausted { return memoryReason }
        if status == .signalled(SIGXCPU) {
            return "it used more than the \(limits.cpuSeconds) s of processor time that limits.cpu allows"
        }
        return "\(status)"
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
        // What runs at once has the time together.
        if limits.cpuSeconds > 0, served.isEmpty { _ = swiftlet_renew_cpu(pid, UInt32(limits.cpuSeconds)) }
        let slot: UInt16
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = nextSlot
            nextSlot += 1
        }
        page.clear(slot: slot)
        served[key] = Served(slot: slot, invocation: invocation, traceID: traceID)
        return slot
    }

    /// Takes the slot back; false where the worker does not have that frame id in flight.
    func vacate(_ key: UInt32) -> Bool {
        guard let done = served.removeValue(forKey: key) else { return false }
        freeSlots.append(done.slot)
        bodies.free(key)
        lastServed = done
        return true
    }

    /// What the worker has in flight, where that is one thing.
    var onlyServed: Served? { served.count == 1 ? served.values.first : nil }

    /// Whose line it is, of several in flight: runtimes of AWS put the request's id into what they log.
    func served(naming line: String) -> Served? {
        guard isForeign else { return nil }
        return served.values.first { line.contains(InvocationID.uuid(of: $0.invocation)) }
    }

    /// Takes back what the worker has not begun, which leaves it out then; false where it has begun.
    ///
    /// The slot stays taken until the worker says that it is done with the frame.
    func takeBack(_ key: UInt32) -> Bool {
        served[key].map { page.takeBack(slot: $0.slot) } ?? false
    }

    /// What the worker has begun of what is in flight.
    var begun: Set<UInt32> {
        var begun: Set<UInt32> = []
        served.forEach { if page.hasBegun(slot: $1.slot, id: $0) { begun.insert($0) } }
        return begun
    }

    // MARK: Frames

    /// Writes frames; they leave together at the end of the loop's tick.
    func send(_ body: (inout WireWriter) -> Void) {
        body(&writer)
        guard !flushDue else { return }
        flushDue = true
        loop.execute(flushLater)
    }

    private func flush() {
        flushDue = false
        guard let channel, !writer.isEmpty else { return }
        // The memory is used again, unless a write that had to wait still holds it.
        outgoing.clear(minimumCapacity: writer.bytes.count)
        outgoing.writeBytes(writer.bytes)
        writer.removeAll()
        channel.writeAndFlush(outgoing, promise: nil)
        if outgoing.capacity > 1 << 20 { outgoing = ByteBuffer() }
    }

    fileprivate func received(_ frame: Frame, _ payload: ByteBuffer) {
        owner.received(frame, payload, from: self)
    }
    func printed(_ line: String, _ source: String) {
        owner.printed(line, source: source, by: self)
    }
    fileprivate func broke(_ error: WireError) {
        owner.broke(self, reason: "its frames cannot be read: \(error)")
    }
}

/// Cuts what a worker writes into frames, in the memory into which it was read.
private final class FrameReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let link: WorkerLink
    /// The beginning of a frame whose rest is still to come.
    private var begun: ByteBuffer?
    private var broken = false

    init(link: WorkerLink) {
        self.link = link
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !broken else { return }
        var bytes = unwrapInboundIn(data)
        let isCopy = begun != nil
        if var whole = begun.take() {
            whole.writeBuffer(&bytes)
            bytes = whole
        }
        do throws(WireError) {
            while bytes.readableBytes >= Frame.headerLength {
                let header = try readableHeader(of: bytes)
                let length = Frame.headerLength + header.length
                let start = bytes.readerIndex + Frame.headerLength
                guard let payload = bytes.getSlice(at: start, length: header.length) else {
                    begun = isCopy ? bytes : copy(bytes, of: length)
                    return
                }
                bytes.moveReaderIndex(forwardBy: length)
                payload.withUnsafeReadableBytes { link.received(Frame(header, payload: $0), payload) }
            }
            if bytes.readableBytes > 0 { begun = copy(bytes, of: Frame.headerLength) }
        } catch {
            broken = true
            link.broke(error)
        }
    }

    private func readableHeader(of bytes: ByteBuffer) throws(WireError) -> FrameHeader {
        let header: Result<FrameHeader, WireError> = bytes.withUnsafeReadableBytes { bytes in
            do throws(WireError) { return .success(try FrameHeader(bytes)) } catch { return .failure(error) }
        }
        return try header.get()
    }

    /// What is kept is copied, so that the memory of a large read is not held for a few bytes.
    private func copy(_ bytes: ByteBuffer, of length: Int) -> ByteBuffer {
        var copy = ByteBufferAllocator().buffer(capacity: max(length, bytes.readableBytes))
        copy.writeImmutableBuffer(bytes)
        return copy
    }

    func channelInactive(context: ChannelHandlerContext) {
        link.channelEnded()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
