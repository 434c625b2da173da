import FunctionCore
import HostKit
import HTTPTrigger
import Invocations
import Journal
import RedisTrigger
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Streams and webhooks are told of jobs' ends", .timeLimit(.minutes(1)))
struct DeliveryRelayTests {
    private let workspace = Workspace()
    private let clock = standing("2026-11-25T08:00:00Z")

    /// A webhook that refuses the first requests.
    private final class Hook: Sendable {
        private let requests = Mutex<[EndpointRequest]>([])
        private let refusals: Int

        init(refusals: Int) { self.refusals = refusals }

        var all: [EndpointRequest] { requests.withLock { $0 } }

        func take(_ request: EndpointRequest) -> EndpointResponse {
            let count = requests.withLock { requests in
                requests.append(request)
                return requests.count
            }
            return EndpointResponse(status: count <= refusals ? 503 : 204)
        }
    }

    /// A journal with one job of each function that has ended.
    private func ended(_ destinations: [String: Manifest.Destination]) async throws -> HostJournal {
        let journal = try await HostJournal.open(directory: workspace.path) { name in
            var manifest = Manifest(name: name)
            manifest.onSuccess = destinations[name]
            return manifest
        }
        for name in destinations.keys {
            try await journal.jobs.accept(
                NewJob(id: "job-of-\(name)", function: name, trigger: "job"),
                now: clock.now
            )
            let claimed = try await journal.jobs.claim(limit: 1, capacity: [name: 1], now: clock.now)
            let result = JobResult(status: 200, contentType: "application/json", body: "[1]")
            try await journal.jobs.complete(
                "job-of-\(name)",
                lease: try #require(claimed.first?.lease),
                result,
                now: clock.now
            )
        }
        return journal
    }

    private func whileRelaying(
        _ journal: HostJournal,
        _ client: RedisClient,
        _ body: () async throws -> Void
    ) async throws {
        let relay = try DeliveryRelay(
            deliveries: journal.deliveries,
            publisher: EventPublisher(client: client),
            key: "the secret",
            clock: clock,
            loop: testLoop,
            telemetry: quietTelemetry(clock)
        )
        let task = Task { await relay.run() }
        do {
            try await body()
        } catch {
            task.cancel()
            throw error
        }
        task.cancel()
        await task.value
    }

    private func nothingLeft(_ journal: HostJournal) async throws {
        _ = try await until("all deliveries") {
            try await journal.deliveries.counts() == (0, 0) ? true : nil
        }
    }

    @Test("a webhook is asked again until it takes it, under the same id, with a signature that fits")
    func webhook() async throws {
        let hook = Hook(refusals: 2)
        let route = EndpointRoute("POST", "/hook") { hook.take($0) }
        let clock = clock
        let server = try await HTTPServer.bind(
            host: "127.0.0.1",
            port: 0,
            group: testLoop,
            gateway: Gateway(router: try Router(endpoints: [route]), hash: { _ in "" }),
            clock: { clock.now }
        )
        let journal = try await ended(["hook": .webhook("http://127.0.0.1:\(server.port)/hook")])
        let client = RedisClient(url: try RedisURL("redis://127.0.0.1:1"), on: testLoop)
        try await whileRelaying(journal, client) {
            for count in 1...2 {
                _ = try await until("try \(count)") {
                    try await journal.deliveries.all(of: "job-of-hook").first?.failures == count ? true : nil
                }
                clock.advance(.seconds(5))
            }
            try await nothingLeft(journal)
        }
        #expect(hook.all.count == 3)
        let request = try #require(hook.all.last)
        let (id, time) = ("job-of-hook-completed", request.headers.first("webhook-timestamp") ?? "")
        #expect(hook.all.allSatisfy { $0.headers.first("webhook-id") == id })
        let carrier = HTTPRequest(method: "POST", target: "/hook", headers: request.headers)
        let event = try Event(kind: .http, request: carrier, body: request.body).cloudEvent()
        #expect(event.id == id && event.type == "swiftlet.job.completed" && event.source == "/functions/hook")
        #expect(event.subject == "job-of-hook" && event.dataContentType == "application/json")
        let code = hmacSHA256(key: Array("the secret".utf8), Array("\(id).\(time).\(request.body.text)".utf8))
        #expect(request.headers.first("webhook-signature") == "v1=\(hexadecimal(code))")
        let told = try JSON.parse(request.body)
        #expect(told["job"] == "job-of-hook" && told["state"] == "completed" && told["result"] == [1])
        await server.stop(grace: .zero)
        await client.shutdown()
        await journal.close()
    }

    @Test("a stream gets an event, once Redis is there")
    func stream() async throws {
        try await RedisServer.run { server in
            let journal = try await ended(["streamed": .stream("ends")])
            let client = RedisClient(url: try RedisURL(server.url), on: testLoop)
            try? await client.connect()
            try await whileRelaying(journal, client) { try await nothingLeft(journal) }
            let entries = try await client.send(["XRANGE", "ends", "-", "+"]).array ?? []
            #expect(entries.count == 1)
            let words = (entries.first?.array?.last?.array ?? []).map { $0.text ?? "" }
            #expect(
                words.contains("job.completed") && words.contains("job-of-streamed-completed"),
                "\(words)"
            )
            await client.shutdown()
            await journal.close()
        }
    }
}
