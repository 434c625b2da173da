import FunctionCore
import HTTPTrigger
import Invocations
import Testing

@Suite("Who sent a request", .timeLimit(.minutes(1)))
struct CallerTests {
    private func settings(_ ranges: [String]) throws -> GatewaySettings {
        var settings = GatewaySettings()
        settings.proxies = TrustedProxies(try ranges.map { try #require(AddressRange($0)) })
        settings.principalHeader = "X-User"
        return settings
    }

    private static let fields =
        "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\nX-User: ann\r\nX-Own: 1\r\n"

    private func ask(_ ranges: [String]) async throws -> (Invocation, RequestReport) {
        let functions = FakeFunctions.echo()
        let settings = try settings(ranges)
        return try await withCheckedThrowingContinuation { continuation in
            Task {
                do {
                    try await TestServer.run(functions, settings: settings) { server in
                        _ = try await server.ask(TestServer.get("/v1/echo", CallerTests.fields))
                        let report = await server.reports.wait { !$0.isEmpty }[0]
                        continuation.resume(returning: (functions.runs.value[0].invocation, report))
                    }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    @Test("a trusted proxy says who the client is and how it came")
    func trusted() async throws {
        let (invocation, report) = try await ask(["127.0.0.0/8"])
        let request = try #require(invocation.event.request)
        #expect(request.clientAddress == "203.0.113.9")
        #expect(request.scheme == "https")
        #expect(invocation.principal == "ann")
        #expect(report.client == "203.0.113.9")
        #expect(request.headers.first("x-forwarded-for") == "203.0.113.9")
        #expect(request.headers.first("forwarded") == nil)
        #expect(request.headers.first("x-own") == "1")
    }

    @Test("anybody else is who the connection says, and what it claims is not passed on")
    func untrusted() async throws {
        let (invocation, report) = try await ask(["10.0.0.0/8"])
        let request = try #require(invocation.event.request)
        #expect(request.clientAddress == "127.0.0.1")
        #expect(request.scheme == "http")
        #expect(invocation.principal == nil)
        #expect(report.client == "127.0.0.1")
        #expect(request.headers.map { $0.name.lowercased() } == ["host", "x-user", "x-own"])
    }

    @Test("without any proxy named the principal's header counts from whoever reaches the port")
    func none() async throws {
        let (invocation, _) = try await ask([])
        #expect(invocation.principal == "ann")
        #expect(invocation.event.request?.clientAddress == "127.0.0.1")
        #expect(invocation.event.request?.headers.first("x-forwarded-for") == nil)
    }
}
