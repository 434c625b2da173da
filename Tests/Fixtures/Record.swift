import FunctionCore
import Glibc

/// Writes down in the file `RECORD_FILE` that it ran: for each event a line of its `key`, `seq` and `copy`, the
/// job's or the entry's id, the process and the instant on the monotonic clock.
///
/// A line is one write to the end of a file, which the kernel keeps whole whoever is killed. With `fail` in the
/// event the invocation fails afterwards, for good.
struct RecordFunction: SynchronousFunction {
    func handle(_ event: Event, _ context: Context) throws -> Reply {
        let events: [(id: String, data: JSON)]
        if event.kind == .redis {
            events = try event.decode(RedisEvent.self).entries.map { ($0.id, $0.data) }
        } else {
            events = [(context.invocation, try event.object())]
        }
        let now = Monotonic.now.nanoseconds
        let lines = events.map { id, data in
            let words = [text(data["key"]), text(data["seq"]), text(data["copy"] ?? 0), id]
            return "\(words.joined(separator: " ")) \(getpid()) \(now)\n"
        }
        try append(lines.joined(), to: context.environment["RECORD_FILE"] ?? "")
        if events.contains(where: { $0.data["fail"] != nil }) {
            throw FunctionError(status: 422, code: "told_to_fail", message: "told to fail", retry: .never)
        }
        return .text("recorded")
    }

    private func text(_ value: JSON?) -> String { value?.stringValue ?? value?.text ?? "" }

    private func append(_ lines: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        defer { close(descriptor) }
        guard write(descriptor, lines, lines.utf8.count) == lines.utf8.count else {
            throw FunctionError(status: 500, code: "not_recorded", message: "\(path): errno \(errno)")
        }
    }
}
