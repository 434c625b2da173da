import FunctionCore
import Testing
import WebSockets

@Suite("the flow of a WebSocket session", .timeLimit(.minutes(1)))
struct FlowTests {
    @Test("messages are given out one at a time and in order; behind eight nothing more is read")
    func order() {
        let talk = Talk()
        let all = (0..<20).map { "message \($0)" }
        talk.perform(talk.session.received(all.flatMap { frame(text: $0) }, at: talk.now))
        #expect(!talk.session.wantsInput)
        #expect(talk.takeOne())
        #expect(!talk.takeOne())
        for _ in 1..<20 {
            talk.session.done(at: talk.now)
            #expect(talk.takeOne())
        }
        #expect(talk.texts == all)
        #expect(talk.session.wantsInput)
        #expect(!talk.session.isDrained)
        talk.session.done(at: talk.now)
        #expect(talk.session.isDrained)
    }

    @Test("faster than the rate, messages wait for their time")
    func rate() throws {
        var limits = SocketLimits()
        limits.rate = 4
        limits.maxWaiting = 100
        let talk = Talk(limits)
        talk.receive((0..<12).flatMap { frame(text: "\($0)") })
        #expect(talk.messages.count == 5)
        let opens = try #require(talk.session.heldUntil)
        #expect(opens > talk.now)
        talk.now = opens
        talk.receive([])
        #expect(talk.messages.count == 6)
        talk.now = talk.now + .seconds(1)
        talk.receive([])
        #expect(talk.messages.count == 10)
        talk.now = talk.now + .seconds(60)
        talk.receive([])
        #expect(talk.messages.count == 12)
        #expect(talk.session.heldUntil == nil)
    }

    @Test("a reply in pieces is one message in fragments; a push waits for its end")
    func pieces() {
        let talk = Talk()
        talk.perform(talk.session.reply(Array("one ".utf8), isText: true, isLast: false, at: talk.now))
        let push = SocketMessage(isText: false, bytes: [9])
        talk.perform(talk.session.push(push, at: talk.now) ?? [])
        talk.perform(talk.session.reply(Array("two".utf8), isText: true, isLast: true, at: talk.now))
        let frames = talk.frames()
        #expect(frames.map(\.opcode) == [1, 0, 2])
        #expect(frames.map(\.final) == [false, true, true])
    }

    @Test("a client that does not read: pushes are refused, one pong is owed, and it is dropped in the end")
    func slowReader() {
        var limits = SocketLimits()
        limits.outbox = 1000
        limits.ping = .seconds(1000)
        let talk = Talk(limits)
        let push = SocketMessage(isText: false, bytes: [UInt8](repeating: 0, count: 600))
        for _ in 0..<2 {
            talk.perform(talk.session.push(push, at: talk.now) ?? [], delivers: false)
        }
        #expect(talk.session.push(push, at: talk.now) == nil)
        #expect(!talk.session.hasRoom)
        for number in 0..<100 as Range<UInt8> { talk.receive(frame(9, [number])) }
        _ = talk.frames()
        talk.perform(talk.session.wrote(604, at: talk.now))
        #expect(talk.frames().map(\.payload) == [[99]])
        #expect(talk.session.hasRoom)
        talk.pass(.seconds(29))
        #expect(talk.endings.isEmpty)
        talk.pass(.seconds(1))
        #expect(talk.endings.map(\.code) == [.policy])
        #expect(talk.aborted)
    }

    @Test("a silent client is asked for a sign of life, and dropped where it gives none")
    func ping() {
        let talk = Talk()
        talk.pass(.seconds(30))
        #expect(talk.frames().map(\.opcode) == [9])
        talk.pass(.seconds(19))
        talk.receive(frame(10))
        talk.pass(.seconds(29))
        #expect(talk.frames().isEmpty)
        talk.pass(.seconds(1))
        #expect(talk.frames().map(\.opcode) == [9])
        talk.pass(.seconds(20))
        #expect(talk.endings.map(\.code) == [.abnormal])
        #expect(talk.aborted)
    }

    @Test("a client that is not read is not asked for a sign of life")
    func pausedClient() {
        let talk = Talk()
        talk.perform(talk.session.received((0..<9).flatMap { frame(text: "\($0)") }, at: talk.now))
        _ = talk.takeOne()
        #expect(!talk.session.wantsInput)
        talk.pass(.seconds(200))
        #expect(talk.frames().isEmpty)
        #expect(talk.endings.isEmpty)
    }

    @Test("a connection without messages is closed as idle; a function at work keeps it open")
    func idle() {
        var limits = SocketLimits()
        limits.ping = .seconds(1000)
        let talk = Talk(limits)
        talk.perform(talk.session.received(frame(text: "long work"), at: talk.now))
        _ = talk.takeOne()
        talk.pass(.seconds(400))
        #expect(talk.frames().isEmpty)
        talk.session.done(at: talk.now)
        talk.pass(.seconds(299))
        #expect(talk.frames().isEmpty)
        talk.pass(.seconds(1))
        #expect(talk.frames().map(\.payload) == [[0x03, 0xE9] + Array("idle".utf8)])
    }
}
