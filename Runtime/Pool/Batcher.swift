import FunctionCore
import Invocations
import NIOCore
import Wire

/// Runs events of one function together: performs what `BatchMachine` decides, on the function's loop.
// SAFETY: all state is touched on `loop` only; `dispatch` and members hop there.
final class Batcher: @unchecked Sendable {
    let loop: any EventLoop
    /// Whether an event is run to its end when its caller has gone.
    fileprivate let goesOn: Bool
    private var machine: BatchMachine
    private var members: [Int: BatchMember] = [:]
    private var nextID = 0

    /// All replies of a batch, which are held until they are taken apart.
    static let replyMax = 64 << 20

    init(_ settings: Manifest.Batch, of manifest: Manifest, on loop: any EventLoop) {
        self.loop = loop
        goesOn = manifest.onDisconnect == .continue
        machine = BatchMachine(settings, bytesMax: max(manifest.limits.payload, 1 << 20))
    }

    /// Takes an event in; `run` runs the batch.
    ///
    /// Threading: any.
    func dispatch(
        _ invocation: Invocation,
        to sink: any ReplySink,
        _ run: @escaping BatchMember.Run
    ) -> any Dispatched {
        let member = BatchMember(invocation, to: sink, of: self, run)
        if loop.inEventLoop { arrive(member) } else { loop.execute { self.arrive(member) } }
        return member
    }

    private func arrive(_ member: BatchMember) {
        nextID += 1
        member.id = nextID
        members[nextID] = member
        let invocation = member.invocation
        let kin = BatchMachine.Kin(principal: invocation.principal, fencingToken: invocation.fencingToken)
        perform(machine.arrived(nextID, kin, bytes: invocation.event.body.count, at: .now))
    }

    private func perform(_ actions: [BatchMachine.Action]) {
        for action in actions {
            switch action {
            case .send(let ids): send(ids.compactMap { members.removeValue(forKey: $0) })
            case .wake(let at):
                let wait = max(at - Monotonic.now, .zero)
                loop.scheduleTask(in: .nanoseconds(wait.nanoseconds)) {
                    self.perform(self.machine.due(at: max(.now, at)))
                }
            }
        }
    }

    /// The event's caller has gone; one that runs already only loses its answer.
    fileprivate func leave(_ member: BatchMember) {
        if machine.left(member.id) {
            members[member.id] = nil
            member.end(.cancelled)
        } else {
            member.batch?.left()
        }
    }

    private func send(_ batch: [BatchMember]) {
        guard let first = batch.first?.invocation else { return }
        let invocations = batch.map(\.invocation)
        let timeouts = invocations.map(\.timeout)
        var invocation = Invocation(
            function: first.function,
            event: Event(kind: .batch, body: BatchPayload.body(of: invocations.map(\.event))),
            attempt: invocations.map(\.attempt).max() ?? 1,
            depth: invocations.map(\.depth).max() ?? 0,
            trace: batch.count == 1 ? first.trace : .begin(),
            parent: batch.count == 1 ? first.parent : ParentSpan(),
            principal: first.principal,
            fencingToken: first.fencingToken,
            timeout: timeouts.contains(nil) ? nil : timeouts.compactMap { $0 }.max(),
            trigger: batch.count == 1 ? first.trigger : "batch"
        )
        let trials = invocations.compactMap(\.trial)
        if !trials.isEmpty {
            let isRecorded = trials.contains(where: \.isRecorded)
            invocation.trial = Trial(isRecorded: isRecorded, faults: trials.flatMap(\.faults))
        }
        if batch.count > 1 { invocation.members = invocations.map { SpanPlace($0.trace, parent: $0.parent) } }
        let sink = BatchSink(batch, on: loop)
        for member in batch { member.batch = sink }
        sink.attach(batch[0].run(invocation, sink))
    }
}

/// One event of a batch, as its caller holds it.
// SAFETY: all state is touched on the batcher's loop; the sink is called on its own.
final class BatchMember: Dispatched, @unchecked Sendable {
    typealias Run = (Invocation, any ReplySink) -> any Dispatched

    let invocation: Invocation
    fileprivate let run: Run
    fileprivate var id = 0
    fileprivate weak var batch: BatchSink?
    private let sink: any ReplySink
    private let batcher: Batcher
    private var isOver = false
    private var hasLeft = false

    init(
        _ invocation: Invocation,
        to sink: any ReplySink,
        of batcher: Batcher,
        _ run: @escaping Run
    ) {
        self.run = run
        self.invocation = invocation
        self.sink = sink
        self.batcher = batcher
    }

    /// Replies of a batch are whole when they come.
    func grant(_ bytes: Int) {}

    func cancel() {
        batcher.loop.execute {
            guard !self.hasLeft else { return }
            self.hasLeft = true
            self.batcher.leave(self)
        }
    }

    func abandon() {
        if !batcher.goesOn { cancel() }
    }

    fileprivate func reply(_ reply: Reply) {
        guard !isOver else { return }
        isOver = true
        sink.eventLoop.execute { [sink] in
            sink.reply(
                status: reply.status,
                headers: reply.headers,
                body: ByteBuffer(bytes: reply.body.array)
            )
        }
    }

    fileprivate func end(_ outcome: Outcome) {
        guard !isOver else { return }
        isOver = true
        sink.eventLoop.execute { [sink] in sink.end(outcome) }
    }
}

/// Takes a batch's reply apart.
// SAFETY: touched on `eventLoop` only, as ReplySink promises.
private final class BatchSink: ReplySink, @unchecked Sendable {
    let eventLoop: any EventLoop
    private let members: [BatchMember]
    private var present: Int
    private var body = Bytes()
    private var owed = 0
    private var dispatched: (any Dispatched)?

    init(_ members: [BatchMember], on eventLoop: any EventLoop) {
        self.members = members
        self.eventLoop = eventLoop
        present = members.count
    }

    func attach(_ dispatched: any Dispatched) {
        self.dispatched = dispatched
        if owed > 0 { dispatched.grant(owed) }
        if present <= 0 { dispatched.cancel() }
    }

    /// One of those who wait for the answer has gone; without any the invocation is of no use.
    func left() {
        present -= 1
        if present == 0 { dispatched?.cancel() }
    }

    func head(status: Int, headers: [Header]) {}

    func chunk(_ bytes: ByteBuffer) {
        if body.count <= Batcher.replyMax { body.array += bytes.readableBytesView }
        if let dispatched { dispatched.grant(bytes.readableBytes) } else { owed += bytes.readableBytes }
    }

    func end(_ outcome: Outcome) {
        dispatched = nil
        guard case .replied = outcome else { return members.forEach { $0.end(outcome) } }
        guard body.count <= Batcher.replyMax, let outcomes = try? BatchPayload.outcomes(in: body),
            outcomes.count == members.count
        else {
            let message = "the replies to a batch are over 64 MiB, or not one for each event"
            let error = FunctionError(status: 502, code: "bad_batch_reply", message: message)
            return members.forEach { $0.end(.failed(error)) }
        }
        for (member, outcome) in zip(members, outcomes) {
            switch outcome {
            case .success(let reply): member.reply(reply)
            case .failure(let error): member.end(.failed(error))
            }
        }
    }
}
