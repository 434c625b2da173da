import FunctionCore

/// Decides for one WebSocket connection, from the 101 on: what is answered, which message is whose turn, when
/// the peer is asked for a sign of life, and how the connection ends.
///
/// A value: facts in, actions out; the shell (`SocketConnection`) holds the transport.
///
///     open ──close frame sent──▶ closing ──the peer's, or no answer in time──▶ over
///       └──the peer's close frame, a fault, the transport's end──▶ over
///
/// Messages that came before the end are still given out after it, so that what a client sent before it left
/// is not lost. At most `maxWaiting` wait behind the one at work; then nothing more is read, and TCP slows
/// the client.
package struct SocketSession: Sendable {
    package enum Action: Sendable, Equatable {
        case write([UInt8])
        /// The connection is over; said once. What was written goes out first, unless it `aborts`.
        case end(Closing, aborts: Bool)
    }

    private enum Phase: Sendable, Equatable {
        case open
        case closing(Closing, since: Monotonic)
        case over
    }

    private let limits: SocketLimits
    private var phase = Phase.open
    private var assembly: MessageAssembly
    private var inbox: [SocketMessage] = []
    private var pace: Pace
    /// A message has been given out, and its reply is not complete.
    private var isAtWork = false
    /// A message to the peer has begun with a frame that was not its last.
    private var isReplyOpen = false
    /// Whole frames that wait for the end of that message.
    private var held: [[UInt8]] = []
    private var heldCount = 0
    /// What the transport has not taken yet.
    private var unsent = 0
    private var progressed: Monotonic
    /// The last ping that could not be answered, as the peer does not read.
    private var owedPong: [UInt8]?
    private var heard: Monotonic
    private var pinged: Monotonic?
    private var active: Monotonic

    package init(_ limits: SocketLimits, at now: Monotonic) {
        self.limits = limits
        assembly = MessageAssembly(limit: limits.maxMessage)
        pace = Pace(rate: limits.rate)
        (progressed, heard, active) = (now, now, now)
    }

    // MARK: What a shell may ask

    package var isOver: Bool { phase == .over }
    /// Whether messages still go out.
    package var isOpen: Bool { phase == .open }
    /// Whether more is to be read.
    package var wantsInput: Bool { inbox.count < limits.maxWaiting || phase != .open }
    /// Whether a message is with the function.
    package var hasWork: Bool { isAtWork }
    /// Whether nothing of what the client said remains to be told.
    package var isDrained: Bool { !isAtWork && inbox.isEmpty }
    /// When the next message may be taken, where it is only the pace that holds it back.
    package var heldUntil: Monotonic? { isAtWork || inbox.isEmpty ? nil : pace.opens }
    /// Whether a push would be taken.
    package var hasRoom: Bool { unsent + heldCount < limits.outbox }

    // MARK: The peer

    /// Bytes have come.
    package mutating func received(_ bytes: [UInt8], at now: Monotonic) -> [Action] {
        guard phase != .over else { return [] }
        heard = now
        pinged = nil
        assembly.append(bytes)
        return advance(now)
    }

    /// The transport has ended.
    package mutating func broke() -> [Action] {
        switch phase {
        case .over: []
        case .closing(let closing, _): end(closing, aborts: true)
        case .open: end(Closing(.abnormal, "the connection broke"), aborts: true)
        }
    }

    private mutating func advance(_ now: Monotonic) -> [Action] {
        var actions: [Action] = []
        do throws(SocketFault) {
            while wantsInput, phase != .over, let part = try assembly.next() {
                switch part {
                case .message(let message):
                    active = now
                    // What comes after our own close frame is of no interest.
                    if phase == .open { inbox.append(message) }
                case .ping(let payload):
                    if hasRoom {
                        actions.append(write(SocketFrame.bytes(.pong, payload), now))
                    } else {
                        owedPong = payload
                    }
                case .pong: break
                case .close(let closing): actions += closed(by: closing, now)
                }
            }
        } catch {
            if phase == .open { actions.append(write(SocketFrame.close(error.closing), now)) }
            actions += end(error.closing, aborts: false)
        }
        return actions
    }

    private mutating func closed(by closing: Closing, _ now: Monotonic) -> [Action] {
        if case .closing(let own, _) = phase { return end(own, aborts: false) }
        return [write(SocketFrame.close(Closing(closing.code)), now)] + end(closing, aborts: false)
    }

    private mutating func end(_ closing: Closing, aborts: Bool) -> [Action] {
        phase = .over
        held = []
        heldCount = 0
        return [.end(closing, aborts: aborts)]
    }

    // MARK: The function

    /// The next message, if it is its turn; `done` must follow.
    package mutating func take(at now: Monotonic) -> (message: SocketMessage?, actions: [Action]) {
        guard !isAtWork, !inbox.isEmpty, pace.take(at: now) else { return (nil, []) }
        isAtWork = true
        let wasFull = !wantsInput
        let message = inbox.removeFirst()
        // What was not read could not be a sign of life.
        if wasFull { heard = now }
        return (message, wasFull ? advance(now) : [])
    }

    /// The function has answered the message that it had.
    package mutating func done(at now: Monotonic) {
        isAtWork = false
        active = now
    }

    /// A piece of a message to the peer; others wait until it `isLast`.
    package mutating func reply(
        _ bytes: some Collection<UInt8>,
        isText: Bool,
        isLast: Bool,
        at now: Monotonic
    ) -> [Action] {
        guard phase == .open else { return [] }
        active = now
        let opcode = isReplyOpen ? SocketFrame.Opcode.continuation : isText ? .text : .binary
        isReplyOpen = !isLast
        var actions = [write(SocketFrame.bytes(opcode, isFinal: isLast, bytes), now)]
        if isLast {
            actions += held.map { write($0, now) }
            held = []
            heldCount = 0
        }
        return actions
    }

    /// A message to the peer that is no reply; nil where there is no room for it, or no way any more.
    package mutating func push(_ message: SocketMessage, at now: Monotonic) -> [Action]? {
        guard phase == .open, hasRoom else { return nil }
        active = now
        let frame = SocketFrame.bytes(message.isText ? .text : .binary, message.bytes)
        guard isReplyOpen else { return [write(frame, now)] }
        held.append(frame)
        heldCount += frame.count
        return []
    }

    /// Somebody on this side wants the connection closed.
    package mutating func close(_ closing: Closing, at now: Monotonic) -> [Action] {
        guard phase == .open else { return [] }
        let action = write(SocketFrame.close(closing), now)
        phase = .closing(closing, since: now)
        inbox = []
        return [action] + advance(now)
    }

    // MARK: Time and transport

    private mutating func write(_ bytes: [UInt8], _ now: Monotonic) -> Action {
        if unsent == 0 { progressed = now }
        unsent += bytes.count
        return .write(bytes)
    }

    /// The transport has taken so many bytes.
    package mutating func wrote(_ count: Int, at now: Monotonic) -> [Action] {
        unsent -= count
        progressed = now
        guard phase == .open, hasRoom, let payload = owedPong else { return [] }
        owedPong = nil
        return [write(SocketFrame.bytes(.pong, payload), now)]
    }

    /// Time has passed.
    package mutating func ticked(at now: Monotonic) -> [Action] {
        if case .closing(let closing, let since) = phase, now - since >= limits.close {
            return end(closing, aborts: false)
        }
        guard phase == .open else { return [] }
        if unsent > 0, now - progressed >= limits.stall {
            return end(Closing(.policy, "the client does not read"), aborts: true)
        }
        if !isAtWork, inbox.isEmpty, unsent == 0, now - active >= limits.idle {
            return close(Closing(.goingAway, "idle"), at: now)
        }
        if !wantsInput { heard = now }
        if let pinged {
            guard now - pinged >= limits.pong else { return [] }
            return end(Closing(.abnormal, "no answer to a ping"), aborts: true)
        }
        guard now - heard >= limits.ping, wantsInput else { return [] }
        pinged = now
        return [write(SocketFrame.bytes(.ping, []), now)]
    }
}

/// The bounds of a connection.
package struct SocketLimits: Sendable, Hashable {
    /// Bytes of a message of the client's.
    package var maxMessage = 64 * 1024
    /// Messages of the client's that wait behind the one at work.
    package var maxWaiting = 8
    /// Messages of the client's that are taken in a second.
    package var rate = 100
    /// Without a message either way.
    package var idle = Duration.seconds(300)
    /// Without a byte from the client before it is asked for a sign of life.
    package var ping = Duration.seconds(30)
    /// From the ping to the end.
    package var pong = Duration.seconds(20)
    /// From this side's close frame to the end.
    package var close = Duration.seconds(5)
    /// Without the client's taking any of what was written to it.
    package var stall = Duration.seconds(30)
    /// Bytes on their way to the client; above it no push is taken.
    package var outbox = 256 * 1024
    /// Bytes of a message to the client that is no reply.
    package static let pushMax = 1 << 20

    package init() {}
}

/// Lets `rate` through in a second, as many at once after a pause, and the others at their time.
///
/// The "virtual scheduling" form of the leaky bucket (ITU-T I.371).
struct Pace: Sendable {
    private let interval: Duration
    private let slack = Duration.seconds(1)
    private var due: Monotonic?

    init(rate: Int) {
        interval = .nanoseconds(1_000_000_000 / Int64(max(1, rate)))
    }

    /// When the next one may pass.
    var opens: Monotonic? { due.map { Monotonic(nanoseconds: $0.nanoseconds - slack.nanoseconds) } }

    mutating func take(at now: Monotonic) -> Bool {
        guard let due else {
            due = now + interval
            return true
        }
        guard due - now <= slack else { return false }
        self.due = max(due, now) + interval
        return true
    }
}
