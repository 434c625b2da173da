import FunctionCore
import Testing
import Wire

/// One of each payload, and how each is read.
enum PayloadSamples {
    static let request = HTTPRequest(
        method: "POST",
        target: "/v1/users/7?x=ä",
        parameters: ["user": "7", "empty": ""],
        headers: [Header("Content-Type", "text/plain"), Header("x", "")],
        clientAddress: "2001:db8::1",
        scheme: "https"
    )

    static let invoke = InvokeHead(
        invocation: "0123456789abcdefghijklmn",
        slot: 513,
        attempt: 3,
        depth: 16,
        remaining: -5,
        trace: .begin(),
        principal: "ännie",
        fencingToken: .max,
        kind: .http,
        operation: "create",
        request: request,
        connection: ConnectionEvent(
            id: "c1",
            phase: .disconnect,
            isText: false,
            subprotocols: ["a", "b"],
            closeCode: 4999,
            closeReason: "ü"
        ),
        seed: .max,
        tellsClock: true,
        clock: [-1, 0, .max]
    )

    static let error = FunctionError(
        status: 429,
        code: "too_many",
        message: "wait a little \u{1F642}",
        faults: [Fault("a[1].b", "range", "from 1 to 2"), Fault("", "", "")],
        retry: .after(.milliseconds(1500))
    )

    static let log = LogPayload(level: .warning, message: "said\nso", metadata: ["a": "b", "": ""])
    static let call = CallHead(invocation: 77, binding: "users", method: "write", arguments: #"{"user":1}"#)
    static let confinement = {
        var confinement = Confinement()
        confinement.memory = 1 << 40
        confinement.uid = 60_007
        confinement.directory = "/tmp/x"
        confinement.filter = Bytes([1, 2, 3])
        confinement.readable = ["/usr", ""]
        confinement.network = true
        return confinement
    }()
    static let hello = Hello(
        bundle: "abc",
        function: "echo",
        confinement: confinement,
        environment: ["A": "1"]
    )

    static func frame(_ write: (inout WireWriter) -> Void) -> ArraySlice<UInt8> {
        var writer = WireWriter()
        write(&writer)
        return writer.bytes[Frame.headerLength...]
    }

    static var all: [ArraySlice<UInt8>] {
        [
            frame { hello.write(to: &$0) },
            frame { Ready(startup: 1234, failure: "why").write(to: &$0) },
            frame { invoke.write(to: &$0, id: 1, body: "body") },
            frame {
                ReplyHead(status: 200, headers: request.headers).write(
                    to: &$0,
                    id: 1,
                    flags: 0,
                    body: [1, 2]
                )
            },
            frame { call.write(to: &$0, id: 1, body: "body") },
            frame { log.write(to: &$0, id: 1) },
            frame { ErrorPayload.write(error, to: &$0, id: 1) },
        ]
    }

    /// Reads a payload in every way; what it is not, it may refuse.
    static func readAll(_ payload: ArraySlice<UInt8>) {
        _ = try? Hello(payload)
        _ = try? Ready(payload)
        _ = try? InvokeHead.read(payload)
        _ = try? ReplyHead.read(payload)
        _ = try? CallHead.read(payload)
        _ = try? LogPayload(payload)
        _ = try? ErrorPayload.read(payload)
    }
}

@Suite("payloads", .timeLimit(.minutes(1)))
struct PayloadTests {
    @Test("hello and ready come back")
    func greetings() throws {
        #expect(
            try Hello(PayloadSamples.frame { PayloadSamples.hello.write(to: &$0) }) == PayloadSamples.hello
        )
        for ready in [Ready(startup: .max, serial: true), Ready(startup: 0, failure: "the reason")] {
            #expect(try Ready(PayloadSamples.frame { ready.write(to: &$0) }) == ready)
        }
    }

    @Test("another protocol's version is refused, naming both")
    func versions() {
        var hello = PayloadSamples.hello
        hello.version = 99
        var ready = Ready(startup: 1)
        ready.version = 98
        let first = #expect(throws: WireError.self) {
            try Hello(PayloadSamples.frame { hello.write(to: &$0) })
        }
        let second = #expect(throws: WireError.self) {
            try Ready(PayloadSamples.frame { ready.write(to: &$0) })
        }
        #expect(first?.description.contains("99") == true)
        #expect(first?.description.contains("\(Frame.protocolVersion)") == true)
        #expect(second?.description.contains("98") == true)
    }

    @Test("an invocation comes back whole, with and without its optional parts")
    func invocation() throws {
        var plain = PayloadSamples.invoke
        plain.principal = nil
        plain.fencingToken = nil
        plain.request = nil
        plain.connection = nil
        plain.kind = .redis
        plain.tellsClock = false
        plain.clock = nil
        for head in [PayloadSamples.invoke, plain] {
            let body = Bytes([0, 255, 10])
            let (read, rest) = try InvokeHead.read(
                PayloadSamples.frame { head.write(to: &$0, id: 5, body: body) }
            )
            #expect(rest == body)
            #expect(read.invocation == head.invocation)
            #expect(read.slot == head.slot)
            #expect(read.attempt == head.attempt)
            #expect(read.depth == head.depth)
            #expect(read.remaining == head.remaining)
            #expect(read.trace == head.trace)
            #expect(read.principal == head.principal)
            #expect(read.fencingToken == head.fencingToken)
            #expect(read.kind == head.kind)
            #expect(read.operation == head.operation)
            #expect(read.request == head.request)
            #expect(read.connection == head.connection)
            #expect(read.seed == head.seed && read.tellsClock == head.tellsClock && read.clock == head.clock)
        }
    }

    @Test("a reply's head comes back, and a status out of range is refused")
    func reply() throws {
        let head = ReplyHead(status: 418, headers: PayloadSamples.request.headers)
        let (read, rest) = try ReplyHead.read(
            PayloadSamples.frame { head.write(to: &$0, id: 1, flags: Frame.last, body: [1, 2, 3]) }
        )
        #expect(read == head)
        #expect(rest == [1, 2, 3])
        for status in [0, 100, 199, 600, 70_000, -1] {
            let bad = ReplyHead(status: status, headers: [])
            #expect(throws: WireError.self) {
                try ReplyHead.read(PayloadSamples.frame { bad.write(to: &$0, id: 1, flags: 0, body: []) })
            }
            #expect(ReplyHead.refusal(of: status)?.code == "invalid_reply")
        }
        #expect(ReplyHead.refusal(of: 200) == nil)
        #expect(ReplyHead.refusal(of: 599) == nil)
    }

    @Test("a call and a log line come back")
    func callAndLog() throws {
        let (read, body) = try CallHead.read(
            PayloadSamples.frame { PayloadSamples.call.write(to: &$0, id: 3, body: "xyz") }
        )
        #expect(read == PayloadSamples.call)
        #expect(body == "xyz")
        #expect(
            try LogPayload(PayloadSamples.frame { PayloadSamples.log.write(to: &$0, id: 3) })
                == PayloadSamples.log
        )
    }

    @Test("an error comes back with status, code, message, faults and retry")
    func errors() throws {
        for retry in [FunctionError.Retry.byPolicy, .never, .discard, .after(.zero), .after(.seconds(90))] {
            var error = PayloadSamples.error
            error.retry = retry
            let read = try ErrorPayload.read(
                PayloadSamples.frame { ErrorPayload.write(error, to: &$0, id: 1) }
            )
            #expect(read.status == error.status)
            #expect(read.code == error.code)
            #expect(read.message == error.message)
            #expect(read.faults == error.faults)
            #expect(read.retry == error.retry)
        }
        var odd = PayloadSamples.error
        odd.status = 200
        #expect(
            try ErrorPayload.read(PayloadSamples.frame { ErrorPayload.write(odd, to: &$0, id: 1) }).status
                == 500
        )
    }

    @Test("an error or a log line of any length fits into a frame")
    func lengths() throws {
        let long = String(repeating: "ä", count: 1 << 20)
        var error = FunctionError(code: long, message: long)
        error.faults = (0..<5000).map { Fault("path\($0)", "rule", long) }
        let payload = PayloadSamples.frame { ErrorPayload.write(error, to: &$0, id: 1) }
        #expect(payload.count < Frame.payloadMax)
        let read = try ErrorPayload.read(payload)
        #expect(read.faults.count == 1000)
        #expect(read.message.utf8.count >= 60_000)
        let fields = Dictionary(uniqueKeysWithValues: (0..<1000).map { ("\($0)", long) })
        let line = PayloadSamples.frame {
            LogPayload(level: .info, message: long, metadata: fields).write(to: &$0, id: 1)
        }
        #expect(line.count < 1 << 20)
        #expect(try LogPayload(line).metadata.count == 64)
    }

    @Test("a payload cut off at any length is read or refused, and never traps")
    func truncated() {
        for payload in PayloadSamples.all {
            for length in 0...payload.count { PayloadSamples.readAll(payload.prefix(length)) }
        }
    }

    @Test("a payload with any one byte changed is read or refused, and never traps")
    func changed() {
        for payload in PayloadSamples.all {
            for index in payload.indices {
                for value in [0, 1, 127, 255] as [UInt8] {
                    var copy = payload
                    copy[index] = value
                    PayloadSamples.readAll(copy)
                }
            }
        }
    }
}
