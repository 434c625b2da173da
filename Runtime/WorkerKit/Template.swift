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

/// Forks a worker from this process whenever the host asks for one; returns in the workers only.
///
/// This process is as far as any worker gets by itself, and has run no task and no Dispatch block: a child of one
/// that has would wait for threads that it does not have. So it has a single thread, which is looked at before each
/// fork. The workers are the host's children, not this process's: the host hears of their end as of any other's.
func awaitFork() {
    warmUp()
    var descriptors = [Int32](repeating: -1, count: 4)
    while true {
        var word: Int32 = 0
        let count = swiftlet_receive(3, &word, &descriptors, 4)
        // The host is gone.
        if count < 0 { _exit(0) }
        let pid = count == 4 ? swiftlet_fork_sibling() : -EINVAL
        let answer = pid == -1 ? -errno : pid
        if answer == 0 {
            guard swiftlet_become(descriptors, 4, 1) == 0 else { _exit(70) }
            if word == TemplateRequest.probe.rawValue { answerProbe() }
            return
        }
        descriptors[..<Int(count)].forEach { close($0) }
        if swiftlet_send(3, answer, nil, 0) != 0 { _exit(0) }
    }
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
