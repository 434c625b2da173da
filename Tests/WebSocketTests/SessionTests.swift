import FunctionCore
import Seeds
import Testing
import WebSockets

@Suite("a WebSocket session", .timeLimit(.minutes(1)))
struct SessionTests {
    @Test("a text and a binary message come through, whatever their length")
    func messages() {
        for count in [0, 1, 7, 8, 125, 126, 127, 65_535, 65_536, 70_001] {
            var limits = SocketLimits()
            limits.maxMessage = 100_000
            let talk = Talk(limits)
            let bytes = (0..<count).map { UInt8($0 % 128) }
            talk.receive(frame(1, bytes) + frame(2, bytes))
            #expect(talk.messages.map(\.isText) == [true, false])
            #expect(talk.messages.allSatisfy { $0.bytes == bytes })
            talk.perform(talk.session.reply(bytes, isText: true, isLast: true, at: talk.now))
            let frames = talk.frames()
            #expect(frames.map(\.opcode) == [1])
            #expect(frames.first?.payload == bytes)
            #expect(talk.endings.isEmpty)
        }
    }

    @Test("fragments make one message, with control frames between them answered at once")
    func fragments() {
        let talk = Talk()
        talk.receive(frame(text: "Grü", final: false))
        talk.receive(frame(9, [1, 2]))
        #expect(talk.messages.isEmpty)
        #expect(talk.frames().map(\.payload) == [[1, 2]])
        talk.receive(frame(0, Array("ß ".utf8), final: false) + frame(10) + frame(0, Array("Gott".utf8)))
        #expect(talk.texts == ["Grüß Gott"])
    }

    @Test("every cut of a conversation gives the same")
    func everyCut() {
        let bytes =
            frame(text: "on", final: false) + frame(9, [7]) + frame(0, Array("e €".utf8))
            + frame(2, [0, 255])
            + frame(1, [UInt8](repeating: 65, count: 300)) + closeFrame(1000, "bye")
        for cut in 0...bytes.count {
            let talk = Talk()
            talk.receive(Array(bytes[..<cut]))
            talk.receive(Array(bytes[cut...]))
            #expect(talk.texts.prefix(1) == ["one €"])
            #expect(talk.messages.count == 3)
            #expect(talk.endings == [Closing(.normal, "bye")])
            #expect(talk.frames().map(\.opcode) == [10, 8])
        }
        let talk = Talk()
        for byte in bytes { talk.receive([byte]) }
        #expect(talk.messages.count == 3)
        #expect(talk.endings == [Closing(.normal, "bye")])
    }

    /// What a client does wrong, and the code with which it is told.
    static let faults: [(name: String, bytes: [UInt8], code: CloseCode)] = [
        ("a frame without a mask", [0x81, 0x01, 0x41], .protocolError),
        ("a reserved bit", [0xC1, 0x80, 0, 0, 0, 0], .protocolError),
        ("a reserved opcode", [0x83, 0x80, 0, 0, 0, 0], .protocolError),
        ("a reserved control opcode", [0x8B, 0x80, 0, 0, 0, 0], .protocolError),
        ("a ping in fragments", frame(9, final: false), .protocolError),
        ("a ping of 126 bytes", frame(9, [UInt8](repeating: 0, count: 126)), .protocolError),
        ("a continuation of nothing", frame(0), .protocolError),
        ("a message within a message", frame(text: "a", final: false) + frame(text: "b"), .protocolError),
        ("a length in more bytes than it needs", [0x81, 0xFE, 0, 125, 0, 0, 0, 0], .protocolError),
        ("a negative length", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], .protocolError),
        ("a text that is not UTF-8", frame(1, [0xC0, 0xAF]), .invalidData),
        ("half a character", frame(1, [0xE2, 0x82]), .invalidData),
        ("a wrong byte long before the end", [0x81, 0xFE, 0x10, 0, 0, 0, 0, 0, 0xFF], .invalidData),
        ("too long a message", [0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0], .tooBig),
        (
            "too long a message by its sum",
            frame(2, [UInt8](repeating: 0, count: 65_000), final: false)
                + frame(0, [UInt8](repeating: 0, count: 600)), .tooBig
        ),
        ("a close code of one byte", frame(8, [3]), .protocolError),
        ("a close code that is not for the wire", closeFrame(1005), .protocolError),
        ("an unknown close code", closeFrame(2999), .protocolError),
        ("a close reason that is not UTF-8", frame(8, [3, 232, 0xFF]), .invalidData),
    ]

    @Test("faults end the connection with their code", arguments: faults.indices)
    func fault(_ index: Int) {
        let fault = SessionTests.faults[index]
        let talk = Talk()
        talk.receive(fault.bytes)
        #expect(talk.endings.map(\.code) == [fault.code], "\(fault.name)")
        let last = talk.frames().last
        #expect(last?.opcode == 8, "\(fault.name)")
        #expect(
            last?.payload.prefix(2) == [UInt8(fault.code.rawValue >> 8), UInt8(fault.code.rawValue & 255)]
        )
        talk.receive(frame(text: "more"))
        #expect(talk.messages.isEmpty)
        #expect(talk.endings.count == 1)
    }

    @Test("a close frame is answered with its code, and messages before it are still given out")
    func closing() {
        let talk = Talk()
        talk.perform(talk.session.received(frame(text: "last") + closeFrame(3001, "so long"), at: talk.now))
        #expect(talk.endings == [Closing(CloseCode(rawValue: 3001), "so long")])
        #expect(talk.frames().map(\.payload) == [[0x0B, 0xB9]])
        #expect(talk.takeOne())
        #expect(talk.texts == ["last"])
        talk.perform(talk.session.reply([65], isText: true, isLast: true, at: talk.now))
        #expect(talk.frames().isEmpty)
    }

    @Test("a close frame without a code is answered without one")
    func closingWithoutCode() {
        let talk = Talk()
        talk.receive(frame(8))
        #expect(talk.endings == [Closing(.none)])
        #expect(talk.frames().map(\.payload) == [[]])
    }

    @Test("this side's close waits for the peer's, and not for ever")
    func ownClosing() {
        let own = Closing(.restart, "a new version")
        for answers in [true, false] {
            let talk = Talk()
            talk.perform(talk.session.close(own, at: talk.now))
            #expect(talk.frames().map(\.opcode) == [8])
            talk.receive(frame(text: "too late"))
            #expect(talk.endings.isEmpty)
            if answers { talk.receive(closeFrame(1012)) } else { talk.pass(.seconds(5)) }
            #expect(talk.endings == [own])
            #expect(talk.frames().isEmpty)
            #expect(talk.messages.isEmpty)
        }
    }

    @Test("a transport that ends without a close frame is told as 1006")
    func breaking() {
        let talk = Talk()
        talk.perform(talk.session.broke())
        #expect(talk.endings.map(\.code) == [.abnormal])
        #expect(talk.session.broke().isEmpty)
    }

    @Test("random bytes never break it, and end it at most once")
    func randomBytes() {
        for seed in 0..<3000 as Range<UInt64> {
            var random = SeededRandom(seed)
            let talk = Talk()
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                var bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                // Half of them begin like a frame that is allowed.
                if bytes.count > 1, Bool.random(using: &random) {
                    bytes[0] &= 0x8A
                    bytes[1] |= 0x80
                }
                talk.receive(bytes)
                talk.pass(.seconds(Int.random(in: 0...3, using: &random)))
            }
            talk.perform(talk.session.broke())
            #expect(talk.endings.count == 1, "seed \(seed)")
        }
    }
}
