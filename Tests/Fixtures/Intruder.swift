import CFixtures
import FunctionCore
import Glibc

/// Tries what the event names and tells what came of it: `ok`, or the system's word for the error.
struct ReachFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        let settings = Settings(event)
        let result = attempt(settings.text("what"), settings)
        return .text(result >= 0 ? "ok" : String(cString: strerror(Int32(-result))))
    }

    private func attempt(_ what: String, _ settings: Settings) -> Int {
        let pid = settings.integer("pid", 0)
        let path = settings.text("path")
        switch what {
        case "read": return open(path, O_RDONLY)
        case "write": return open(path, O_WRONLY | O_CREAT | O_TRUNC)
        case "list": return path.withCString { call(257, -100, Int(bitPattern: $0), Int(O_DIRECTORY)) }
        case "kill": return call(62, pid, Int(SIGKILL))
        case "thread-kill": return call(234, pid, pid, Int(SIGKILL))
        case "ptrace": return call(101, 16, pid)
        case "memory": return call(310, pid)
        case "socket": return call(41, settings.integer("family", 2), 1)
        case "fork": return fork()
        case "exec": return call(59, 0)
        case "limit": return call(302, pid, 0, 1)
        case "dumpable": return call(157, 4, 1)
        case "mount": return call(165, 0)
        case "unshare": return call(272, 0x1000_0000)
        case "bpf": return call(321, 0)
        case "perf": return call(298, 0)
        case "keyctl": return call(250, 0)
        case "userfault": return call(323, 0)
        case "uring": return call(425, 0)
        case "root": return call(105, 0)
        default: return -Int(EINVAL)
        }
    }

    private func open(_ path: String, _ flags: Int32) -> Int {
        let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        let error = errno
        guard descriptor >= 0 else { return -Int(error) }
        var byte: UInt8 = 0
        let count = flags & O_WRONLY != 0 ? write(descriptor, &byte, 1) : Glibc.read(descriptor, &byte, 1)
        let outcome = count < 0 ? -Int(errno) : 0
        close(descriptor)
        return outcome
    }

    private func fork() -> Int {
        // The child must not come back into the worker's loop.
        let pid = call(57)
        if pid == 0 { _exit(0) }
        return pid
    }

    /// By the numbers of x86-64; the tests that need them run there.
    private func call(_ number: Int, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0) -> Int {
        fixture_call(number, a, b, c, 0, 0)
    }
}

/// Takes memory without end: by pieces that it writes to, all at once, or where RLIMIT_DATA does not look.
struct AllocateFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        switch Settings(event).text("mode") {
        case "none": return .text("little")
        case "once":
            let all = [UInt8](repeating: 1, count: 1 << 40)
            return .text("\(all.count)")
        case "shared":
            let size = 192 << 20
            let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
            if let memory, memory != MAP_FAILED { memset(memory, 1, size) }
            while true { usleep(1000) }
        default:
            var pieces: [[UInt8]] = []
            while true { pieces.append([UInt8](repeating: UInt8(pieces.count & 255), count: 1 << 20)) }
        }
    }
}

/// Starts processes without end, which stay, and waits for what comes.
struct ForkBombFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        if Settings(event).text("mode") == "none" { return .text("none") }
        let count = fixture_fork_bomb(20_000)
        if Settings(event).text("mode") == "count" { return .text("\(count)") }
        while true { sleep(1) }
    }
}

/// Prints as fast as it can, for `ms` milliseconds.
struct FloodFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        let end = Monotonic.now + .milliseconds(Settings(event).integer("ms", 1000))
        let line = Array((String(repeating: "flood ", count: 20) + "\n").utf8)
        while Monotonic.now < end { _ = write(1, line, line.count) }
        return .text("flooded")
    }
}

/// Uses the processor for `ms` milliseconds of its own time.
struct SpinFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        let begin = clock()
        let wanted = Settings(event).integer("ms", .max >> 20) * (Int(CLOCKS_PER_SEC) / 1000)
        while clock() - begin < wanted {}
        return .text("spun")
    }
}
