import Console
import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import WorkerPool

/// The form that tries a function: its reply piece by piece to the script, or whole on a page.
extension ConsoleRoutes {
    func invoke(_ request: EndpointRequest) async -> EndpointResponse {
        let fields = request.fields
        return await shown(request) {
            var view = try await function(request)
            let text = fields["event"] ?? "{}"
            let event = try EventDocument.reading(Bytes(text))
            let invocation = Invocation(function: view.name, event: event, trigger: "invoke")
            if request.headers.first("accept") == "application/x-ndjson" {
                return InvocationStream(host: host, invocation: invocation).response()
            }
            let began = Monotonic.now
            let reply = await host.run(invocation, limit: 6 << 20)
            view = try await function(request)
            let type = reply.headers.first("content-type") ?? ""
            let body = ReplyView.isText(type) ? reply.body.text : spoken(bytes: reply.body.count)
            let shown = ReplyView(
                status: reply.outcome.error?.status ?? reply.status,
                type: type,
                text: reply.outcome.error?.spelledOut ?? body,
                error: reply.outcome.error?.code,
                took: Monotonic.now - began,
                invocation: invocation.id,
                event: text
            )
            return .html(view.page(reply: shown).document(frame(request)))
        }
    }
}

/// One invocation's reply as lines of JSON: `{"head"}`, `{"text"}` or, for what is no text, `{"data"}` in Base64 as
/// often as there are pieces, `{"end"}`.
struct InvocationStream: Sendable {
    let host: HostState
    let invocation: Invocation

    func response() -> EndpointResponse {
        let headers = [Header("content-type", "application/x-ndjson"), Header("cache-control", "no-store")]
        return EndpointResponse(headers: headers, body: .stream { try await self.write(to: $0) })
    }

    private func write(to writer: EndpointWriter) async throws {
        let (pieces, source) = AsyncStream.makeStream(of: StreamingSink.Piece.self)
        let sink = StreamingSink(host.loop, source)
        let began = Monotonic.now
        if host.window(of: invocation.function) != nil {
            // It runs under its window's token, whole.
            let reply = await host.run(invocation, limit: 6 << 20)
            if reply.status > 0 { sink.head(status: reply.status, headers: reply.headers) }
            if !reply.body.isEmpty { source.yield(.chunk(reply.body)) }
            sink.end(reply.outcome)
            return try await write(pieces, to: writer, since: began) { _ in }
        }
        let dispatched = host.dispatcher.dispatch(invocation, to: sink)
        defer { dispatched.cancel() }
        try await write(pieces, to: writer, since: began) { dispatched.grant($0) }
    }

    private func write(
        _ pieces: AsyncStream<StreamingSink.Piece>,
        to writer: EndpointWriter,
        since began: Monotonic,
        taken: (Int) -> Void
    ) async throws {
        var (decoder, bytes, isText) = (UTF8Pieces(), 0, true)
        for await piece in pieces {
            switch piece {
            case .head(let status, let headers):
                let type = headers.first("content-type") ?? ""
                isText = ReplyView.isText(type)
                let pairs = headers.map { JSON.array([.string($0.name), .string($0.value)]) }
                let head: JSON = [
                    "status": .integer(Int64(status)), "type": .string(type), "isText": .bool(isText),
                    "headers": .array(pairs),
                ]
                try await writer.write(["head": head])
            case .chunk(let chunk) where !isText:
                bytes += chunk.count
                try await writer.write(["data": .string(chunk.base64)])
                taken(chunk.count)
            case .chunk(let chunk):
                bytes += chunk.count
                let text = decoder.text(of: chunk.array)
                if !text.isEmpty { try await writer.write(["text": .string(text)]) }
                taken(chunk.count)
            case .end(let outcome):
                var end: JSONObject = [
                    "milliseconds": .number(((Monotonic.now - began).milliseconds * 100).rounded() / 100),
                    "bytes": .integer(Int64(bytes)), "link": .string("/console/invocations/\(invocation.id)"),
                ]
                if let error = outcome.error {
                    end["error"] = .string(error.code)
                    end["status"] = .integer(Int64(error.status))
                    end["message"] = .string(error.spelledOut)
                }
                try await writer.write(["end": .object(end)])
            }
        }
    }
}

extension EndpointWriter {
    fileprivate func write(_ line: JSON) async throws { try await write(Bytes(line.text + "\n")) }
}

/// Hands a reply on as it comes; what waits is bounded by the credit, which the reader grants.
private final class StreamingSink: ReplySink {
    enum Piece: Sendable {
        case head(Int, [Header])
        case chunk(Bytes)
        case end(Outcome)
    }

    let eventLoop: any EventLoop
    private let source: AsyncStream<Piece>.Continuation

    init(_ eventLoop: any EventLoop, _ source: AsyncStream<Piece>.Continuation) {
        self.eventLoop = eventLoop
        self.source = source
    }

    func head(status: Int, headers: [Header]) { source.yield(.head(status, headers)) }
    func chunk(_ bytes: ByteBuffer) { source.yield(.chunk(Bytes(Array(bytes.readableBytesView)))) }
    func end(_ outcome: Outcome) {
        source.yield(.end(outcome))
        source.finish()
    }
}

/// Text out of pieces that may part a character.
struct UTF8Pieces {
    private var rest: [UInt8] = []

    mutating func text(of piece: [UInt8]) -> String {
        var bytes = rest + piece
        rest = []
        // A character has four bytes at most: its first one is among the last three if it is not whole.
        for back in 1...3 where bytes.count >= back {
            let byte = bytes[bytes.count - back]
            if byte & 0b1100_0000 == 0b1000_0000 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            if length > back {
                rest = Array(bytes.suffix(back))
                bytes.removeLast(back)
            }
            break
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
