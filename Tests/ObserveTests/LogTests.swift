import FunctionCore
import Glibc
@testable import Observe
import Testing

@Suite("log records", .timeLimit(.minutes(1)))
struct LogRecordTests {
    private let record = LogRecord(
        time: Instant(nanoseconds: 1_800_000_000_123_000_000),
        level: .warning,
        message: "something is odd",
        function: "motto",
        invocation: "abc",
        trace: "0123",
        fields: [("count", 3), ("text", "a \"b\"\n")]
    )

    @Test(
        "a line of JSON has the time, level, message, function, invocation, trace and all fields, on one line"
    )
    func json() throws {
        #expect(!record.json.text.contains("\n"))
        let object = try #require(try JSON.parse(record.json).objectValue)
        #expect(object["time"]?.stringValue.flatMap { Instant(rfc3339: $0) } == record.time)
        #expect(object["level"]?.stringValue == "warning")
        #expect(object["message"]?.stringValue == "something is odd")
        #expect(object["function"]?.stringValue == "motto")
        #expect(object["invocation"]?.stringValue == "abc")
        #expect(object["trace"]?.stringValue == "0123")
        #expect(object["count"]?.intValue == 3)
        #expect(object["text"]?.stringValue == "a \"b\"\n")
    }

    @Test("a field cannot pass for one of the line's own")
    func reserved() throws {
        var record = record
        record.fields = [("invocation", "forged"), ("level", "error")]
        let object = try JSON.parse(record.json).objectValue
        #expect(object?["invocation"]?.stringValue == "abc")
        #expect(object?["level"]?.stringValue == "warning")
        #expect(object?["field_invocation"]?.stringValue == "forged")
    }

    @Test("what is not there is left out")
    func plain() throws {
        let record = LogRecord(time: Instant(nanoseconds: 0), level: .info, message: "m")
        #expect(
            Set(try JSON.parse(record.json).objectValue?.map { "\($0.key)" } ?? []) == [
                "time", "level", "message",
            ]
        )
    }

    @Test("times and numbers are written as the JSON of the runtime writes them")
    func sameText() throws {
        for nanoseconds in [0, 1, 1_000, 1_050_000, 999_000_000, 1_795_226_400_123_456_789] as [Int64] {
            var record = record
            record.time = Instant(nanoseconds: nanoseconds)
            let numbers = [
                0, -0.5, 1, 1.5, 0.001, 12.34, -1_234.567, 0.1 + 0.2, 1e300, .leastNonzeroMagnitude,
            ]
            record.fields = numbers.enumerated().map { ("n\($0)", .number($1)) }
            record.fields += [("i", .integer(.min)), ("j", .integer(.max)), ("k", ["a": [true, nil]])]
            var object: JSONObject = [
                "time": .string(record.time.rfc3339), "level": "warning", "message": "something is odd",
                "function": "motto", "invocation": "abc", "trace": "0123",
            ]
            for (name, value) in record.fields { object[name] = value }
            #expect(record.json.text == JSON.object(object).text)
        }
    }

    @Test(
        "a pretty line is one line, and no control character of a message, a field or its name gets through"
    )
    func pretty() {
        var record = record
        record.message = "a\nb\u{1B}[2Jc\u{7F}d\u{9B}31m"
        record.fields = [("na\u{1B}me", "va\rlue"), ("n", 1)]
        let line = record.pretty(colour: false)
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 32 && !(127..<160).contains($0.value) })
        #expect(line.hasPrefix("08:00:00.123 warning motto  a\u{FFFD}b\u{FFFD}[2Jc\u{FFFD}d\u{FFFD}31m"))
        #expect(line.contains(" n=1"))
        #expect(line.hasSuffix(" invocation=abc"))
        let coloured = record.pretty(colour: true)
        #expect(coloured.contains("\u{1B}[33mwarning\u{1B}[0m"))
        #expect(coloured.count { $0 == "\u{1B}" } == 2)
    }
}

@Suite("invocation lines", .timeLimit(.minutes(1)))
struct InvocationLineTests {
    private func text(_ line: InvocationLine) -> String {
        var bytes = LineBytes()
        var clock = LineClock()
        line.write(to: &bytes, &clock)
        return String(decoding: bytes.bytes, as: UTF8.self)
    }

    @Test("the line of an invocation is the same as that of a record with its fields")
    func sameAsRecord() {
        var line = InvocationLine(
            time: Instant(nanoseconds: 1_795_226_400_123_456_789),
            level: .info,
            function: "motto",
            invocation: "abc",
            trace: "0123",
            trigger: "http",
            outcome: "ok",
            ran: .zero,
            queued: .nanoseconds(1_499),
            cold: false,
            worker: 4711,
            attempt: 1,
            status: 200,
            error: nil
        )
        #expect(text(line).contains(#""duration_ms":0.0,"queued_ms":0.001,"start":"warm""#))
        for nanoseconds in [0, 1, 499, 500, 999_499, 1_000_000, 1_200_000, 87_654_321_987, 9_000_000_000_000]
        {
            line.ran = .nanoseconds(nanoseconds)
            line.queued = .nanoseconds(nanoseconds / 3)
            #expect(text(line) == line.record.json.text)
        }
        line.cold = true
        line.status = nil
        line.error = FunctionError(code: "odd", message: "a \"b\"\n")
        #expect(text(line) == line.record.json.text)
    }
}

@Suite("redaction", .timeLimit(.minutes(1)))
struct RedactorTests {
    @Test("secrets are taken out wherever they stand, the longer first")
    func secrets() {
        let redactor = Redactor(secrets: ["secret", "secret-and-more", "tiny", "z\"q\\uote"])
        #expect(redactor.clean("a secret, secret-and-more, tiny") == "a [redacted], [redacted], tiny")
        #expect(redactor.clean("secretsecret") == "[redacted][redacted]")
        #expect(redactor.clean("nothing here") == "nothing here")
        #expect(redactor.clean("z\"q\\uote") == "[redacted]")
        let line = JSON.object(["key": "z\"q\\uote"]).text
        #expect(redactor.clean(line) == #"{"key":"[redacted]"}"#)
    }

    @Test(
        "bearer tokens are taken out, all of them and in any case",
        arguments: [
            ("authorization: Bearer abc.def", "authorization: Bearer [redacted]"),
            (
                #"{"h":"bearer abc","i":"BEARER x-y, z"}"#,
                #"{"h":"bearer [redacted]","i":"BEARER [redacted], z"}"#
            ),
            ("the bearer of this", "the bearer [redacted] this"),
            ("Bearer ", "Bearer "), ("Bearer", "Bearer"), ("ä Bearer ö", "ä Bearer [redacted]"),
        ]
    )
    func bearers(_ line: String, _ clean: String) {
        #expect(Redactor().clean(line) == clean)
    }
}

@Suite("log writer", .timeLimit(.minutes(1)))
struct LogWriterTests {
    private func temporary() -> String {
        var template = Array("/tmp/swiftlet-log-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            // SAFETY: the template is null-terminated and ends in six X.
            buffer.baseAddress.flatMap { mkdtemp($0) } != nil
        }
        precondition(made, "no temporary directory can be made")
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private func contents(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 { all += buffer[..<count] }
        return String(decoding: all, as: UTF8.self)
    }

    private func record(_ message: String, level: LogLevel = .info) -> LogRecord {
        LogRecord(time: Instant(nanoseconds: 0), level: level, message: message)
    }

    @Test("lines go to the file in order, redacted, and those below the level do not")
    func file() {
        let path = temporary() + "/log"
        let writer = LogWriter(path: path, console: .none, redactor: Redactor(secrets: ["hush-hush"]))
        writer.write(record("low", level: .debug))
        for index in 0..<100 { writer.write(record("line \(index) hush-hush")) }
        writer.close()
        let lines = contents(path).split(separator: "\n")
        #expect(lines.count == 100)
        for (index, line) in lines.enumerated() { #expect(line.contains("line \(index) [redacted]")) }
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test("a full file is turned over, and one older is kept")
    func turnedOver() {
        let path = temporary() + "/log"
        for round in 0..<4 {
            let writer = LogWriter(path: path, fileMax: 1000, console: .none)
            writer.write(record("round \(round) " + String(repeating: "x", count: 700)))
            writer.close()
        }
        #expect(contents(path).contains("round 3"))
        #expect(contents(path + ".1").contains("round 2"))
        #expect(!contents(path).contains("round 2"))
    }

    @Test("a writer that cannot keep up drops lines and counts each")
    func drops() throws {
        // Opening a fifo waits for its reader: until then the writer's thread writes nothing.
        let path = temporary() + "/fifo"
        try #require(mkfifo(path, 0o600) == 0)
        let writer = LogWriter(path: path, fileMax: .max, console: .none)
        let total = 20_000
        for index in 0..<total { writer.write(record("\(index)")) }
        #expect(writer.dropped > 0)
        let reader = open(path, O_RDONLY)
        defer { close(reader) }
        var lines = 0
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while lines + Int(writer.dropped) < total {
            let count = read(reader, &buffer, buffer.count)
            guard count > 0 else { break }
            lines += buffer[..<count].count { $0 == 10 }
        }
        #expect(lines + Int(writer.dropped) == total)
        writer.close()
    }
}
