import FunctionCore
import TestSupport

/// What is pending where, for whoever has to find out why a run came to no end.
struct FaultPicture {
    let world: FaultWorld

    var text: String {
        get async {
            var lines = ["accepted: \(world.acceptedCount), effects: \(world.effects().count)"]
            lines += world.sending.map { "producer: \($0)" }
            lines += world.problems.map { "problem: \($0)" }
            await look("in Redis", &lines) {
                try await world.pendingInRedis().map { "\($0.key.rawValue): \($0.value)" }
                    + world.open().sorted().prefix(10).map { "held for the host: \($0)" }
            }
            await look("audit", &lines) { try await world.audit().map(\.text) }
            for state in ["created", "queued", "running", "retry_wait"] {
                await look("jobs that are \(state)", &lines) {
                    let url = "\(world.host.admin)/v1/jobs?state=\(state)&limit=500"
                    let jobs = try await HTTP.get(url).json["jobs"]?.arrayValue ?? []
                    return ["\(jobs.count), the oldest of them:"] + jobs.suffix(3).map(\.text)
                }
            }
            await look("functions", &lines) {
                let list = try await HTTP.get("\(world.host.admin)/v1/functions").json["functions"]
                return (list?.arrayValue ?? []).filter { $0["name"]?.stringValue == "record" }.map(\.text)
            }
            let log = world.host.log.filter { $0["level"]?.stringValue != "info" }
            lines += log.suffix(30).map { "log: \($0.text)" }
            lines.append("output: \(world.host.output.suffix(2000))")
            return lines.joined(separator: "\n")
        }
    }

    private func look(
        _ what: String,
        _ lines: inout [String],
        _ body: () async throws -> [String]
    ) async {
        do {
            lines += try await body().map { "\(what): \($0)" }
        } catch {
            lines.append("\(what): \(error)")
        }
    }
}
