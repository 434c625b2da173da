import CLateCurl
import FunctionCore
import Glibc
import Synchronization
import Wire

/// A call that is under way to a host elsewhere: a thread speaks to it, the handler's task reads what comes.
///
/// Bound: a thread that is ahead of the reader by `aheadMax` bytes waits. Threading: any.
final class RemoteCall: Sendable {
    private struct State {
        var ahead = 0
        var isOver = false
        var isGivenUp = false
    }

    private static let aheadMax = 64 * 1024

    let answer = PendingCall()
    private let state = Mutex(State())
    private let moved = Signal()

    var isGivenUp: Bool { state.withLock { $0.isGivenUp } }

    /// All of the answer is there: giving it up spares nothing, and would cost the connection.
    fileprivate func end() { state.withLock { $0.isOver = true } }

    /// Nobody waits for the rest.
    func giveUp() {
        let hasRest = state.withLock { state in
            if !state.isOver { state.isGivenUp = true }
            return state.isGivenUp
        }
        guard hasRest else { return }
        moved.post()
        answer.fail(CancellationError())
    }

    /// The reader has had so many bytes.
    func taken(_ count: Int) {
        state.withLock { $0.ahead -= count }
        moved.post()
    }

    /// The thread hands over a piece, and waits where the reader is behind; false once it is given up.
    fileprivate func hand(_ piece: Bytes) -> Bool {
        answer.append(piece, last: false)
        state.withLock { $0.ahead += piece.count }
        while state.withLock({ $0.ahead > RemoteCall.aheadMax && !$0.isGivenUp }) { moved.wait() }
        return !isGivenUp
    }

    /// Sends it, on a thread of its own.
    func send(_ frame: [UInt8], _ headers: [Header], to host: BindingsHost, within timeout: Duration) {
        let exchange = RemoteExchange(self, frame, headers, host, timeout)
        // SAFETY: balanced by `takeRetainedValue` on the thread.
        let argument = Unmanaged.passRetained(exchange).toOpaque()
        startThread(argument, stack: 512 * 1024) { argument in
            // SAFETY: the pointer was made above, for this thread alone.
            if let argument { Unmanaged<RemoteExchange>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }
    }
}

/// Gives a call up when nobody holds its answer any more.
final class RemoteCallHold: Sendable {
    let call: RemoteCall

    init(_ call: RemoteCall) {
        self.call = call
    }

    deinit { call.giveUp() }
}

/// The thread's side of a call.
///
/// Threading: one thread at a time.
private final class RemoteExchange {
    private static let refusalMax = 64 * 1024

    private let call: RemoteCall
    private let frame: [UInt8]
    private let headers: [Header]
    private let host: BindingsHost
    private let timeout: Duration
    private let decoder = FrameDecoder()
    private var refusal: [UInt8] = []
    private var hasEnded = false {
        didSet { if hasEnded { call.end() } }
    }

    init(
        _ call: RemoteCall,
        _ frame: [UInt8],
        _ headers: [Header],
        _ host: BindingsHost,
        _ timeout: Duration
    ) {
        self.call = call
        self.frame = frame
        self.headers = headers
        self.host = host
        self.timeout = timeout
    }

    func run() {
        if let problem = late_curl_load() {
            let why = "\(String(cString: problem)); put it into `lib/` of the package"
            return fail(501, "binding_unavailable", "no HTTPS for bindings: \(why)")
        }
        guard let connection = KeptConnections.take() else {
            return fail(503, "bindings_unreachable", "there is no memory for a connection")
        }
        let (status, error) = post(connection)
        if status == 0 {
            // What was cut off may have left a rest on the connection.
            KeptConnections.close(connection)
            return fail(503, "bindings_unreachable", "the host of the bindings cannot be reached: \(error)")
        }
        KeptConnections.keep(connection)
        if status != 200 { return refuse(status) }
        if !hasEnded { fail(502, "binding_cut", "the host's answer was cut off") }
    }

    private func post(_ connection: KeptConnection) -> (status: Int, error: String) {
        let fields =
            headers.map { "\($0.name): \($0.value)" } + [
                "authorization: Bearer \(host.token)", "expect:",
            ]
        let pointers = fields.map { UnsafePointer(strdup($0)) }
        defer { pointers.forEach { free(UnsafeMutablePointer(mutating: $0)) } }
        var error = [CChar](repeating: 0, count: 257)
        // SAFETY: curl calls back on this thread, within `late_curl_send`, while this object is held.
        let context = Unmanaged.passUnretained(self).toOpaque()
        let status = host.url.withCString { url in
            withOptionalCString(host.authorities) { authorities in
                frame.withUnsafeBytes { body in
                    pointers.withUnsafeBufferPointer { headers in
                        var post = late_curl_post()
                        post.url = url
                        post.headers = headers.baseAddress
                        post.header_count = headers.count
                        post.body = body.baseAddress
                        post.body_length = body.count
                        post.authorities = authorities
                        post.timeout_ms = Int(max(1, timeout.nanoseconds / 1_000_000))
                        post.take = { bytes, count, status, context in
                            guard let bytes, let context else { return 0 }
                            // SAFETY: as above.
                            let exchange = Unmanaged<RemoteExchange>.fromOpaque(context).takeUnretainedValue()
                            let piece = UnsafeRawBufferPointer(start: bytes, count: count)
                            return exchange.take(piece, status) ? count : 0
                        }
                        post.stop = { context in
                            guard let context else { return 1 }
                            // SAFETY: as above.
                            let exchange = Unmanaged<RemoteExchange>.fromOpaque(context).takeUnretainedValue()
                            return exchange.call.isGivenUp ? 1 : 0
                        }
                        post.context = context
                        return late_curl_send(connection.easy, &post, &error)
                    }
                }
            }
        }
        return (
            status, String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        )
    }

    /// Takes a piece of the answer; false gives the exchange up.
    private func take(_ bytes: UnsafeRawBufferPointer, _ status: Int) -> Bool {
        guard status == 200 else {
            refusal += bytes.prefix(RemoteExchange.refusalMax - refusal.count)
            return true
        }
        decoder.append(bytes)
        do throws(WireError) {
            while let frame = try decoder.next() {
                guard try take(frame) else { return false }
            }
            return true
        } catch {
            fail(502, "binding_cut", "the host's answer cannot be read: \(error)")
            return false
        }
    }

    private func take(_ frame: Frame) throws(WireError) -> Bool {
        switch frame.kind {
        case .callReply:
            var reader = WireReader(frame.payload)
            let value = try reader.block()
            hasEnded = frame.isLast
            call.answer.succeed(value: value, first: Bytes(), last: frame.isLast)
        case .chunk: return call.hand(Bytes(Array(frame.payload)))
        case .end:
            hasEnded = true
            call.answer.append(Bytes(), last: true)
        case .error:
            hasEnded = true
            call.answer.fail(try ErrorPayload.read(frame.payload))
        default: throw WireError("a frame \(frame.kind) in an answer")
        }
        return true
    }

    /// The host, or a proxy in front of it, answered with an error of its own.
    private func refuse(_ status: Int) {
        let error = (try? JSON.parse(Bytes(refusal)))?["error"]
        let message = error?["message"]?.stringValue ?? "the host of the bindings answered \(status)"
        fail(status, error?["code"]?.stringValue ?? "binding_refused", message)
    }

    private func fail(_ status: Int, _ code: String, _ message: String) {
        hasEnded = true
        let isOurs = (400...599).contains(status)
        call.answer.fail(FunctionError(status: isOurs ? status : 502, code: code, message: message))
    }
}

private func withOptionalCString<Result>(
    _ text: String?,
    _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}

/// A handle of libcurl's with the connection that it keeps open.
// SAFETY: who has taken one is the only one that uses it.
private struct KeptConnection: @unchecked Sendable {
    let easy: UnsafeMutableRawPointer
}

/// Connections that are kept for the next call: a handshake takes as long as many calls.
///
/// Bound: `keptMax`. Threading: any.
private enum KeptConnections {
    private static let keptMax = 16
    private static let idle = Mutex<[KeptConnection]>([])

    static func take() -> KeptConnection? {
        let kept = idle.withLock { $0.popLast() }
        return kept ?? late_curl_open().map { KeptConnection(easy: $0) }
    }

    static func keep(_ connection: KeptConnection) {
        let isKept = idle.withLock { idle in
            guard idle.count < keptMax else { return false }
            idle.append(connection)
            return true
        }
        if !isKept { close(connection) }
    }

    static func close(_ connection: KeptConnection) { late_curl_close(connection.easy) }
}
