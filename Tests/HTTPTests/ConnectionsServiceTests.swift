import FunctionCore
import HTTPTrigger
import Invocations
import Synchronization
import Testing

@Suite("the binding connections", .timeLimit(.minutes(1)))
struct ConnectionsServiceTests {
    private final class Answer: BindingAnswering {
        let value = Mutex(Bytes())

        func send(_ value: Bytes) throws { self.value.withLock { $0 = value } }
        func write(_ piece: Bytes) async throws {}
    }

    /// A binding as a function would use it.
    private struct Caller: BindingCaller {
        let service: ConnectionsService
        let function: String

        func call(_ request: BindingRequest) async throws -> BindingReply {
            let origin = CallOrigin(invocation: "i", function: function, deadline: .now + .seconds(30))
            let call = BindingCall(
                method: request.method,
                arguments: request.arguments,
                body: request.body,
                origin: origin
            )
            let answer = Answer()
            try await service.call(call, answer: answer)
            let value = answer.value.withLock { $0 }
            return BindingReply(value: value.isEmpty ? "{}" : value)
        }
    }

    private func connections(_ server: TestServer, of function: String = "talk") -> ConnectionsBinding {
        Bindings(Caller(service: ConnectionsService(server.sockets), function: function)).connections
    }

    private func code(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? FunctionError)?.code
        }
    }

    private static let talk = FakeFunctions { _, sink, _ in sink.reply() }

    @Test("a function reaches its own clients: lists them, sends, closes")
    func reaches() async throws {
        try await TestServer.run(ConnectionsServiceTests.talk) { server in
            let client = try await server.client()
            try await client.send(SocketTests.handshake + "\r\n")
            await client.waits(for: "\r\n\r\n")
            let talk = connections(server)
            let ids = try await talk.list()
            let id = try #require(ids.first)
            #expect(ids.count == 1)
            try await talk.send("hello", to: id)
            try await talk.send(Bytes([0x41, 0x42]), to: id)
            await client.waits(for: "AB")
            #expect(try await connections(server, of: "echo").list() == [])
            #expect(
                await code { try await connections(server, of: "echo").send("x", to: id) }
                    == "connection_gone"
            )
            #expect(await code { try await talk.close(id, code: 1002) } == "invalid_input")
            #expect(
                await code { try await talk.close(id, reason: String(repeating: "x", count: 124)) } != nil
            )
            let large = Bytes([UInt8](repeating: 0, count: 1 << 20 | 1))
            #expect(await code { try await talk.send(large, to: id) } == "message_too_large")
            try await talk.close(id, code: 4321, reason: "enough")
            #expect(await client.waits(for: "enough").hasSuffix("\u{10}\u{FFFD}enough"))
            try await client.close()
            while try await !talk.list().isEmpty {}
            #expect(await code { try await talk.send("x", to: id) } == "connection_gone")
        }
    }

    @Test("a client that does not read holds its sender, and goes on when it reads again")
    func slowClient() async throws {
        try await TestServer.run(ConnectionsServiceTests.talk) { server in
            let client = try await RawClient.connect(server.server.port, receiveBuffer: 4096)
            try await client.send(SocketTests.handshake + "\r\n")
            await client.waits(for: "\r\n\r\n")
            try await client.setReading(false)
            let talk = connections(server)
            let id = try #require(try await talk.list().first)
            let sent = Watched(0)
            let sender = Task {
                for _ in 0..<24 {
                    try await talk.send(Bytes([UInt8](repeating: 7, count: 512 * 1024)), to: id)
                    sent.update { $0 += 1 }
                }
            }
            await sent.wait { $0 >= 1 }
            // Nothing is read: 12 MiB cannot have gone anywhere.
            #expect(sent.value < 24)
            try await client.setReading(true)
            try await sender.value
            await client.waits(forBytes: 24 * 512 * 1024)
        }
    }
}
