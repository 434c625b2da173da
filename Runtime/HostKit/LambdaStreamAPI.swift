import FunctionCore
import HTTPTrigger
import Invocations
import LambdaAPI
import NIOCore

/// InvokeWithResponseStream: a reply as frames of an event stream, each piece when it comes.
struct LambdaStreamAPI {
    let host: HostState

    var routes: [EndpointRoute] {
        let path = "/2021-11-15/functions/{name}/response-streaming-invocations"
        return [LambdaRoute.make("POST", path, self.stream)]
    }

    @Sendable private func stream(_ request: EndpointRequest) async throws(LambdaError) -> EndpointResponse {
        let wish = try LambdaRequest(request)
        let manifest = try host.manifest(of: wish.function)
        switch wish.kind {
        case .event: throw .invalidParameter("X-Amz-Invocation-Type must be RequestResponse or DryRun here")
        case .dryRun: return EndpointResponse(status: 204)
        case .requestResponse: break
        }
        let invocation = wish.invocation(request)
        if wish.wantsLog { host.telemetry.tails.listen(to: invocation.id) }
        let feed = ReplyFeed(on: host.loop(of: invocation.function))
        if host.window(of: invocation.function) == nil {
            feed.start(invocation, by: host.dispatcher)
        } else {
            feed.fill(await host.run(invocation, limit: InvokeResult.replyMax))
        }
        let reply = StreamedReply(host, invocation, manifest, feed, wantsLog: wish.wantsLog)
        let first = await feed.next()
        if case .end(let outcome) = first, case .refused(let error) = reply.result(outcome) { throw error }
        let type = Header("content-type", "application/vnd.amazon.eventstream")
        return EndpointResponse(
            headers: [type] + LambdaRoute.replied(invocation),
            body: .stream { writer in try await reply.write(from: first, to: writer) }
        )
    }
}

/// A reply on its way into frames; whoever drops it half way ends the invocation.
private final class StreamedReply: Sendable {
    private let host: HostState
    private let invocation: Invocation
    private let manifest: Manifest
    private let feed: ReplyFeed
    private let wantsLog: Bool

    init(
        _ host: HostState,
        _ invocation: Invocation,
        _ manifest: Manifest,
        _ feed: ReplyFeed,
        wantsLog: Bool
    ) {
        self.host = host
        self.invocation = invocation
        self.manifest = manifest
        self.feed = feed
        self.wantsLog = wantsLog
    }

    deinit {
        feed.abandon()
        if wantsLog { host.telemetry.tails.forget(invocation.id) }
    }

    /// What an end other than a reply's own comes to.
    func result(_ outcome: Outcome) -> InvokeResult? {
        let id = InvocationID.uuid(of: invocation.id)
        return InvokeResult.end(outcome, request: id, timeout: manifest.limits.timeout)
    }

    func write(from first: ReplyFeed.Event?, to writer: EndpointWriter) async throws {
        var event = first
        var status = 200
        while let now = event {
            switch now {
            case .head(let stated, _): status = stated
            case .piece(let piece):
                try await writer.write(EventFrame.chunk(Bytes(Array(piece.readableBytesView))).bytes)
                feed.took(piece.readableBytes)
            case .end(let outcome):
                let log = wantsLog ? await host.log(of: invocation, manifest, outcome, feed.process()) : nil
                return try await writer.write(
                    EventFrame.complete(error: error(outcome, status), log: log).bytes
                )
            }
            event = await feed.next()
        }
        throw CancellationError()
    }

    /// How the reply failed, as JSON; nil where it did not.
    private func error(_ outcome: Outcome, _ status: Int) -> Bytes? {
        switch result(outcome) {
        case .unhandled(let document): document
        case .refused(let error): error.json.bytes()
        case .payload, nil:
            status < 400
                ? nil : InvokeResult.document(ofStatus: status, request: InvocationID.uuid(of: invocation.id))
        }
    }
}
