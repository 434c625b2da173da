import Activity
import Console
import FunctionCore
import HTTPTrigger
import NIOCore

/// The parts of a page as server-sent events: all of them at first, then those that have changed.
///
/// They are looked at once a second and when a build begins or ends, and the next time only when a reader has taken
/// the last ones; what changes faster is seen as it is then.
struct ConsoleLive: Sendable {
    let loop: any EventLoop
    let book: ActivityBook
    let parts: @Sendable () async throws -> [Part]

    private static let step = Duration.seconds(1)
    /// How many looks without a change before a comment shows that the stream is alive.
    private static let heartbeat = 15

    func response() -> EndpointResponse {
        EndpointResponse(
            headers: [
                Header("content-type", "text/event-stream; charset=utf-8"),
                Header("cache-control", "no-store"),
            ],
            body: .stream { try await self.write(to: $0) }
        )
    }

    private func write(to writer: EndpointWriter) async throws {
        let updates = book.updates([.build])
        let timer = Timer(loop: loop) { updates.wake() }
        defer {
            timer.cancel()
            updates.end()
        }
        var told: [String: HTML] = [:]
        var silent = 0
        updates.wake()
        for await _ in updates {
            let changed = try await parts().filter { told[$0.id] != $0.html }
            for part in changed {
                told[part.id] = part.html
                let data: JSON = ["id": .string(part.id), "markup": .string(part.html.markup)]
                try await writer.write(Bytes("event: part\ndata: \(data.text)\n\n"))
            }
            silent = changed.isEmpty ? silent + 1 : 0
            if silent == ConsoleLive.heartbeat {
                silent = 0
                try await writer.write(Bytes(":\n\n"))
            }
            timer.set(ConsoleLive.step)
        }
    }
}
