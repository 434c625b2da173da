import CShims
import FunctionCore
import Glibc
import Wire

/// What a template is asked for, in the word of a message on its socket.
///
/// Each comes with the four descriptors of a worker, and is answered with the process's id or minus an errno.
enum TemplateRequest: Int32 {
    case worker = 1
    /// A process that runs one task, writes a byte to its channel and leaves: proof that forking is safe here.
    case probe = 2
}

/// Keeps one forked process waiting, which becomes a worker when the host asks for one; returns in the workers only.
///
/// This process is as far as any worker gets by itself, and has run no task and no Dispatch block: a child of one
/// that has would wait for threads that it does not have. So it has a single thread, which is looked at before each
/// fork. The workers are the host's children, not this process's: the host hears of their end as of any other's.
///
/// The waiting one takes the host's request itself, so that a fork, a good third of a cold start, is over before
/// anybody waits for it. It tells by a pipe that it was taken; then the next is forked.
func awaitFork() {
    warmUp()
    var losses = 0
    while losses < lossesMax {
        var turn: [Int32] = [-1, -1]
        guard swiftlet_pipe(&turn, false) == 0 else { _exit(70) }
        let pid = swiftlet_fork_sibling()
        if pid == 0 { return becomeWorker(telling: turn[1]) }
        close(turn[1])
        if pid < 0 {
            refuse(errno)
        } else {
            var byte: UInt8 = 0
            losses = read(turn[0], &byte, 1) == 1 ? 0 : losses + 1
            if hostIsGone(within: restMilliseconds) { _exit(0) }
        }
        close(turn[0])
    }
    _exit(70)
}

/// So many waiting ones may go one after the other without having been asked.
private let lossesMax = 5

/// Waits for a request and makes this process what it asks for.
private func becomeWorker(telling turn: Int32) {
    var word: Int32 = 0
    var descriptors = [Int32](repeating: -1, count: 4)
    // The host is gone, or asks for what no worker can be.
    guard swiftlet_receive(3, &word, &descriptors, 4) == 4 else { _exit(0) }
    guard swiftlet_send(3, getpid(), nil, 0) == 0 else { _exit(0) }
    writeAll(turn, [1])
    guard swiftlet_become(descriptors, 4, 1) == 0 else { _exit(70) }
    if word == TemplateRequest.probe.rawValue { answerProbe() }
}

/// Answers one request with an error, as no process can be forked.
private func refuse(_ error: Int32) {
    var word: Int32 = 0
    var descriptors = [Int32](repeating: -1, count: 4)
    let count = swiftlet_receive(3, &word, &descriptors, 4)
    guard count >= 0 else { _exit(0) }
    descriptors[..<Int(count)].forEach { close($0) }
    if swiftlet_send(3, -error, nil, 0) != 0 { _exit(0) }
}

/// So long the next fork waits for the worker that was just taken, which needs the processor more.
private let restMilliseconds: Int32 = 20

/// Rests until the host asks again, at the longest for the time given; true where the host is gone.
private func hostIsGone(within milliseconds: Int32) -> Bool {
    var channel = pollfd(fd: 3, events: Int16(POLLIN), revents: 0)
    return poll(&channel, 1, milliseconds) > 0 && Int32(channel.revents) & (POLLHUP | POLLERR) != 0
}

private func answerProbe() -> Never {
    Task.detached {
        writeAll(3, [1])
        _exit(0)
    }
    while true { sleep(1) }
}

/// Goes once through what every worker does first, so that its children find it done: the runtime's tables of types,
/// and pages that libc and the linker fill when they are first used.
private func warmUp() {
    var writer = WireWriter()
    Hello(bundle: "", function: "", confinement: Confinement(), environment: ["": ""]).write(to: &writer)
    let request = HTTPRequest(method: "GET", target: "/", parameters: ["": ""], headers: [Header("", "")])
    let head = InvokeHead(
        invocation: "",
        slot: 0,
        attempt: 1,
        depth: 0,
        remaining: 0,
        trace: .begin(),
        principal: nil,
        fencingToken: nil,
        kind: .http,
        operation: "",
        request: request
    )
    head.write(to: &writer, id: 1, body: #"{"a": [1, 2.5, "b", null, true]}"#)
    ReplyHead(status: 200, headers: [.json]).write(to: &writer, id: 1, flags: 0, body: [UInt8]())
    let decoder = FrameDecoder()
    decoder.append(writer.bytes)
    while let frame = try? decoder.next() {
        switch frame.kind {
        case .hello: _ = try? Hello(frame.payload)
        case .invoke:
            guard let (_, body) = try? InvokeHead.read(frame.payload) else { break }
            _ = (try? JSON.parse(Bytes(Array(body))))?.bytes()
        default: _ = try? ReplyHead.read(frame.payload)
        }
    }
}
