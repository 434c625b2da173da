import FunctionCore
import Invocations
import LambdaAPI
import Synchronization
import WorkerPool

/// The ends of the logs of those invocations whose callers have asked for them.
///
/// Threading: any. While nobody has asked, a line costs one load.
package final class LogTails: Sendable {
    private struct Open {
        var tail = LogTail()
        var report: InvocationReport?
    }

    private let asked = Atomic<Int>(0)
    private let open = Mutex<[String: Open]>([:])

    package init() {}

    /// Begins to listen to an invocation; `close` or `forget` must follow.
    package func listen(to invocation: String) {
        asked.add(1, ordering: .relaxed)
        open.withLock { $0[invocation] = Open() }
    }

    /// What has come of it.
    package func close(_ invocation: String) -> (tail: LogTail, report: InvocationReport?) {
        guard let found = open.withLock({ $0.removeValue(forKey: invocation) }) else {
            return (LogTail(), nil)
        }
        asked.subtract(1, ordering: .relaxed)
        return (found.tail, found.report)
    }

    /// Whether a Lambda runtime's lines of the invocation's end have come.
    func isEnded(_ invocation: String) -> Bool { open.withLock { $0[invocation]?.tail.isEnded == true } }

    /// Nobody wants it any more.
    func forget(_ invocation: String) { _ = close(invocation) }

    /// Something was reported of some invocation.
    func hear(_ report: PoolReport) {
        guard asked.load(ordering: .relaxed) > 0 else { return }
        switch report {
        case .line(let line):
            guard let invocation = line.invocation else { return }
            open.withLock { $0[invocation]?.tail.add(LogTails.text(line)) }
        case .invocation(let report): open.withLock { $0[report.id]?.report = report }
        default: break
        }
    }

    private static func text(_ line: LogLine) -> String {
        guard line.source == "log" else { return line.message }
        let fields = line.metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
        return "[\(line.level.name)] \(line.message)\(fields.joined())"
    }
}
