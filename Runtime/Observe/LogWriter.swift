import FunctionCore
import Glibc
import Processes
import Synchronization

/// Writes log lines on a thread of its own: to a file that is turned over by size, and to standard output.
///
/// Threading: any. `write` never waits for a disk: it appends the line's bytes to those on the way, and past
/// 8192 lines or 16 MiB of them a line is counted as dropped. The thread takes what has come every two
/// milliseconds, so that a busy host pays for few wake-ups and few calls of the kernel.
package final class LogWriter: Sendable {
    /// What goes to standard output.
    package enum Console: Sendable { case none, json, pretty(colour: Bool) }

    private struct State {
        /// Lines of JSON, and the same for people where the console wants them.
        var lines = LineBytes()
        var pretty = ""
        var count = 0
        var clock = LineClock()
        var dropped: UInt64 = 0
        var closing = false
    }

    private static let linesMax = 8192
    private static let bytesMax = 16 << 20
    private static let pause: UInt32 = 2000
    private let state = Mutex(State())
    private let wake: (read: Int32, write: Int32)
    private let finished = Atomic<Bool>(false)
    private let console: Console
    private let file: LogFile?
    private let redactor: Redactor
    private let level: LogLevel

    /// A writer to the file at `path` (nil for none), to the console, or to both.
    ///
    /// After `fileMax` bytes the file is turned over; one older file is kept.
    package init(
        path: String?,
        fileMax: Int = 64 << 20,
        console: Console,
        level: LogLevel = .info,
        redactor: Redactor = Redactor()
    ) {
        self.console = console
        self.level = level
        self.redactor = redactor
        file = path.map { LogFile(path: $0, max: fileMax) }
        var ends: [Int32] = [0, 0]
        let made = pipe(&ends)
        precondition(made == 0, "no descriptors are left for the log's pipe")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        wake = (ends[0], ends[1])
        startThread("log") { [self] in run() }
    }

    /// Whether lines of that level are written at all; what is not need not be made.
    package func takes(_ level: LogLevel) -> Bool { level >= self.level }

    /// The text without the secrets that no line shows.
    package func clean(_ text: String) -> String { redactor.clean(text) }

    /// Takes a line on.
    package func write(_ record: LogRecord) {
        write(record.level) {
            record.write(to: &$0, &$1)
        } people: {
            record.pretty(colour: $0)
        }
    }

    /// Takes the line of an invocation on.
    package func write(_ line: InvocationLine) {
        write(line.level) {
            line.write(to: &$0, &$1)
        } people: {
            line.record.pretty(colour: $0)
        }
    }

    private func write(
        _ level: LogLevel,
        json: (inout LineBytes, inout LineClock) -> Void,
        people: (_ colour: Bool) -> String
    ) {
        guard takes(level) else { return }
        let first = state.withLock { state in
            guard state.count < LogWriter.linesMax, state.lines.bytes.count < LogWriter.bytesMax else {
                state.dropped += 1
                return false
            }
            state.count += 1
            if wantsJSON {
                json(&state.lines, &state.clock)
                state.lines.newLine()
            }
            if case .pretty(let colour) = console { state.pretty += people(colour) + "\n" }
            return state.count == 1
        }
        if first { signal() }
    }

    private var wantsJSON: Bool {
        if case .json = console { return true }
        return file != nil
    }

    /// Lines dropped so far.
    package var dropped: UInt64 { state.withLock { $0.dropped } }

    /// Writes what is on the way and ends; waits for that at most two seconds.
    ///
    /// For the very end of a process.
    package func close() {
        state.withLock { $0.closing = true }
        signal()
        for _ in 0..<200 where !finished.load(ordering: .acquiring) { usleep(10_000) }
    }

    private func signal() {
        var byte: UInt8 = 1
        _ = Glibc.write(wake.write, &byte, 1)
    }

    private func run() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var lines = LineBytes()
        while true {
            _ = read(wake.read, &buffer, buffer.count)
            usleep(LogWriter.pause)
            lines.removeAll()
            var pretty = ""
            let closing = state.withLock { state in
                swap(&lines, &state.lines)
                swap(&pretty, &state.pretty)
                state.count = 0
                return state.closing
            }
            emit(lines.bytes, pretty)
            if closing { break }
        }
        finished.store(true, ordering: .releasing)
    }

    private func emit(_ lines: [UInt8], _ pretty: String) {
        let clean = redactor.clean(lines)
        file?.append(clean)
        switch console {
        case .none: break
        case .json: LogFile.writeAll(1, clean)
        case .pretty: LogFile.writeAll(1, redactor.clean(Array(pretty.utf8)))
        }
    }
}

/// A file that is renamed to `.1` when it is full.
///
/// Used on the log's thread only.
private final class LogFile: Sendable {
    private struct State {
        var descriptor: Int32 = -1
        var size = 0
    }

    private let path: String
    private let max: Int
    private let state = Mutex(State())

    init(path: String, max: Int) {
        self.path = path
        self.max = max
    }

    func append(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        state.withLock { state in
            if state.descriptor < 0 { open(&state) }
            if state.size + bytes.count > max {
                close(state.descriptor)
                rename(path, path + ".1")
                open(&state)
            }
            guard state.descriptor >= 0 else { return }
            LogFile.writeAll(state.descriptor, bytes)
            state.size += bytes.count
        }
    }

    private func open(_ state: inout State) {
        state.descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        state.size = state.descriptor < 0 ? 0 : Int(lseek(state.descriptor, 0, SEEK_END))
    }

    static func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + start }, bytes.count - start)
            }
            if count > 0 {
                start += count
            } else if errno != EINTR {
                return
            }
        }
    }
}
