import ArgumentParser
import FunctionCore
import Glibc
import HostKit

/// `swiftlet logs`.
struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the log of a host that runs or ran, oldest first.",
        discussion: """
            Filters are joined: `swiftlet logs script --trace 4bf9…` shows one function's lines of one trace.
            """
    )

    @Argument(help: "Only this function's lines.") var name: String?
    @Option(help: "Only the lines of this invocation.") var invocation: String?
    @Option(help: "Only the lines of this trace.") var trace: String?
    @Option(help: "Only lines of this level and above: debug, info, warning or error.") var level: String?
    @Option(help: "How many lines at most, the last ones.") var lines = 200
    @Flag(help: "Go on as lines come.") var follow = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var address: HostAddress

    func validate() throws {
        if let level, LogLevel(named: level) == nil {
            leave(64, "--level is debug, info, warning or error, not `\(level)`")
        }
        if let trace, trace.count != 32 || !trace.allSatisfy({ $0.isHexDigit && !$0.isUppercase }) {
            leave(
                64,
                "--trace is 32 hexadecimal digits in lower case, as in x-trace-id and `swiftlet logs`, not `\(trace)`"
            )
        }
        if lines < 0 { leave(64, "--lines is 0 or more, not \(lines)") }
    }

    func run() {
        let path = "\(address.directory)/logs/swiftlet.jsonl"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { leave(69, "there is no log at \(path); has a host run there?") }
        var pending: [UInt8] = []
        var content = Logs.rest(of: descriptor)
        if let older = readFile(path + ".1"), content.count < 1 << 20 { content = older + content }
        if let end = content.lastIndex(of: 10) { pending = Array(content[(end + 1)...]) }
        var matching: [JSON] = []
        for line in content.split(separator: 10) { if let record = record(line) { matching.append(record) } }
        for record in matching.suffix(lines) { show(record) }
        if matching.isEmpty { tellOfNothing(path) }
        if follow { followFile(path, from: descriptor, pending) }
    }

    /// Nothing matches: a name that no function has is told, as nothing will ever match it.
    private func tellOfNothing(_ path: String) {
        if let name, let known = address.functions(), !known.contains(name) {
            leave(64, "there is no function `\(name)`; there are \(known.joined(separator: ", "))")
        }
        writeError("no line of \(path) is of that kind\(follow ? " so far" : "")")
    }

    /// What can still be read.
    private static func rest(of descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count <= 0 { return all }
            all += buffer[..<count]
        }
    }

    private func record(_ line: ArraySlice<UInt8>) -> JSON? {
        guard let json = try? JSON.parse(Bytes(Array(line))) else { return nil }
        if let name, json["function"]?.stringValue != name { return nil }
        if let level = level.flatMap({ LogLevel(named: $0) }) {
            guard let own = LogLevel(named: json["level"]?.stringValue ?? ""), own >= level else {
                return nil
            }
        }
        if let invocation, json["invocation"]?.stringValue != invocation { return nil }
        if let trace, json["trace"]?.stringValue != trace { return nil }
        return json
    }

    private func show(_ record: JSON) {
        if output.json { return print(record.text) }
        let head = ["time", "level", "function", "message"].compactMap { record[$0]?.stringValue }
        let known: Set = ["time", "level", "function", "message"]
        let rest = (record.objectValue ?? [:]).filter { !known.contains($0.key) }.map {
            "\($0.key)=\($0.value.stringValue ?? $0.value.text)"
        }
        print((head + rest).joined(separator: " "))
    }

    private func followFile(_ path: String, from first: Int32, _ begun: [UInt8]) -> Never {
        var descriptor = first
        var pending = begun
        while true {
            // Whether it was turned over is asked first, so that what came last in the old file is read as well.
            var (now, opened) = (stat(), stat())
            let isOld =
                stat(path, &now) == 0 && fstat(descriptor, &opened) == 0 && now.st_ino != opened.st_ino
            pending += Logs.rest(of: descriptor)
            while let end = pending.firstIndex(of: 10) {
                if let record = record(pending[..<end]) { show(record) }
                pending.removeSubrange(...end)
            }
            // Into a pipe lines would be kept back by the block.
            fflush(nil)
            if isOld {
                close(descriptor)
                descriptor = open(path, O_RDONLY | O_CLOEXEC)
            } else {
                usleep(200_000)
            }
        }
    }
}

extension LogLevel {
    /// The level that a word names.
    fileprivate init?(named name: String) {
        guard let level = LogLevel.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }
}
