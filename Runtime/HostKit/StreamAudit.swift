import FunctionCore
import Invocations
import RedisTrigger

/// The audit of the streams that functions read, by what Redis has counted with each acknowledgement.
///
/// What is filtered or discarded counts as cancelled. Where Redis cannot tell how many entries it gave to a
/// group, as somebody deleted some, there is nothing to compare with, and the parts are taken for the whole.
/// Lists keep no counts and are not audited.
struct StreamAudit: AuditedSource {
    let manifests: [Manifest]
    let client: RedisClient

    func audit() async throws -> [AuditLine] {
        var lines: [AuditLine] = []
        for manifest in manifests {
            for stream in manifest.streams { lines.append(await line(stream, manifest.name)) }
        }
        return lines
    }

    private func line(_ stream: Manifest.Stream, _ function: String) async -> AuditLine {
        do throws(RedisError) {
            let counts = try await StreamCounts.read(stream: stream.stream, group: stream.group, from: client)
            let cancelled = counts.filtered + counts.discarded
            let known = counts.completed + counts.deadLettered + cancelled + counts.pending
            let lost = "\(counts.lost) entries were trimmed before they were run"
            return AuditLine(
                source: stream.stream,
                function: function,
                accepted: counts.accepted ?? known + counts.lost,
                completed: counts.completed,
                deadLettered: counts.deadLettered,
                cancelled: cancelled,
                pending: counts.pending,
                problems: counts.lost > 0 ? [lost] : []
            )
        } catch {
            return AuditLine(
                source: stream.stream,
                function: function,
                accepted: 0,
                problems: ["Redis cannot be asked: \(error.message)"]
            )
        }
    }
}
