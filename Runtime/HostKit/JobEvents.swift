import FunctionCore
import HTTPTrigger
import Journal
import NIOCore
import Storage

/// A job's progress as server-sent events, until it has ended.
///
/// Each event is the job as it is; its id is the job's revision. A reader that comes again with
/// `Last-Event-ID` hears what has changed since. Only the last state is kept: of changes that follow each
/// other faster than the reader takes them, it sees the last.
struct JobEvents: Sendable {
    let jobs: any JobEngine
    let loop: any EventLoop

    /// How often a silent stream is kept alive by a comment.
    private static let heartbeat = Duration.seconds(15)

    /// The stream of a job that is there.
    func response(_ job: JobRecord, to request: EndpointRequest) -> EndpointResponse {
        let told = request.headers.first("last-event-id").flatMap { Int64($0) } ?? 0
        return EndpointResponse(
            headers: [
                Header("content-type", "text/event-stream; charset=utf-8"),
                Header("cache-control", "no-store"),
            ],
            body: .stream { try await self.write(job.id, after: told, to: $0) }
        )
    }

    private func write(_ id: String, after last: Int64, to writer: EndpointWriter) async throws {
        let wake = WakeSignal()
        let wakes = wake.wakes()
        let number = jobs.changes.listen(to: id, wake)
        let timer = Timer(loop: loop) { wake.wake() }
        defer {
            jobs.changes.ignore(id, number)
            timer.cancel()
        }
        var told = last
        wake.wake()
        for await _ in wakes {
            // A job that was pruned meanwhile has nothing more to tell.
            guard let job = try await jobs.job(id) else { return }
            if job.revision > told {
                told = job.revision
                // JSON text has no line ends in it.
                let event = "id: \(told)\nevent: \(job.state.rawValue)\ndata: \(job.json.text)\n\n"
                try await writer.write(Bytes(event))
            } else {
                try await writer.write(":\n\n")
            }
            if job.state.isFinal { return }
            timer.set(JobEvents.heartbeat)
        }
    }
}
