import CShims
import FunctionCore
import Glibc

/// The `main` of a bundle: describes its functions, runs one event in the foreground, or serves a host.
///
///     functions --describe              one JSON line a function
///     functions --inline NAME < event   one event, in this process, under a debugger
///     functions --inline NAME --record FILE    a recorded invocation again, likewise
///     functions --worker                what the host starts; channel on descriptor 3, shared page on 4
///     functions --launch DIRECTORY PROGRAM [ARGUMENT...]   what the host starts in a worker's place; see `launch`
///     functions --template              what the host has fork such workers; requests come on descriptor 3
///     AWS_LAMBDA_RUNTIME_API=… bootstrap   as a custom runtime of AWS Lambda; `_HANDLER` names the function
public enum WorkerMain {
    /// Runs the bundle and never returns.
    ///
    /// Call it first and alone: it must be synchronous, with no thread started before.
    public static func run(_ entries: [FunctionEntry]) -> Never {
        signal(SIGPIPE, SIG_IGN)
        let arguments = CommandLine.arguments.dropFirst()
        switch (arguments.first, arguments.count) {
        case ("--worker", 1):
            serve(entries)
        case ("--template", 1):
            awaitFork()
            serve(entries)
        case ("--launch", 3...):
            launch(Array(arguments.dropFirst()))
        case ("--describe", 1):
            describe(entries)
        case ("--inline", 2):
            runInline(entries, name: arguments[arguments.startIndex + 1])
        case ("--inline", 4) where arguments[arguments.startIndex + 2] == "--record":
            let words = Array(arguments)
            runInline(entries, name: words[1], record: words[3])
        default:
            if let environment = LambdaEnvironment(LambdaEnvironment.variables()) {
                LambdaRuntime.run(entries, environment)
            }
            leave(
                64,
                "usage: functions --describe | --inline NAME < event.json | --inline NAME --record FILE"
            )
        }
    }

    private static func describe(_ entries: [FunctionEntry]) -> Never {
        for entry in entries {
            let line: JSON = [
                "name": .string(entry.name), "protocol": .integer(Int64(Worker.protocolVersion)),
            ]
            writeAll(1, line.bytes().array + [10])
        }
        exit(0)
    }

    private static func serve(_ entries: [FunctionEntry]) -> Never {
        let page = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 4, 0)
        guard let page, page != MAP_FAILED else {
            let why = "a worker is started by the host, with its channel on descriptor 3"
            leave(70, "\(why); try --describe or --inline")
        }
        for descriptor: Int32 in [3, 4] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        // A pipe is buffered by blocks otherwise: what a handler prints would come invocations later, or die
        // with it.
        swiftlet_line_buffer_output()
        // SAFETY: the page is mapped for the life of the process.
        Worker(entries: entries, channel: 3, page: page, file: 4).run()
    }
}

/// Says why and leaves.
func leave(_ status: Int32, _ message: String) -> Never {
    writeAll(2, Array("functions: \(message)\n".utf8))
    exit(status)
}

/// Writes all of `bytes`; false once the other side is gone.
@discardableResult
func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { buffer in
        var rest = buffer[...]
        while !rest.isEmpty {
            let count = Glibc.write(
                descriptor,
                UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                rest.count
            )
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}

/// Reads what there is; empty at the end or after an error.
func readSome(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer {
    while true {
        let count = read(descriptor, buffer.baseAddress, buffer.count)
        if count >= 0 { return UnsafeRawBufferPointer(rebasing: buffer[..<count]) }
        if errno != EINTR { return UnsafeRawBufferPointer(rebasing: buffer[..<0]) }
    }
}

/// Whether there is something to read within that many milliseconds.
func hasInput(_ descriptor: Int32, within milliseconds: Int32) -> Bool {
    var channel = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&channel, 1, milliseconds) != 0
}
