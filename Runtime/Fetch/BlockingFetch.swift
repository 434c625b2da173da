import CCurl
import FunctionCore

/// Requests made on the calling thread, for the command line.
///
/// Never for the host: they block.
package enum BlockingFetch {
    /// Sends a request and waits for the whole reply.
    package static func send(
        _ request: OutboundRequest,
        allow: AllowList = .unrestricted
    ) throws -> (head: ResponseHead, body: Bytes) {
        var head = ResponseHead(status: 0, headers: [])
        var body: [UInt8] = []
        try stream(request, allow: allow) {
            head = $0
        } onPiece: {
            body += $0.array
        }
        return (head, Bytes(body))
    }

    /// Sends a request and hands over the reply as it comes.
    ///
    /// What a callback throws ends the transfer and is thrown.
    package static func stream(
        _ request: OutboundRequest,
        allow: AllowList = .unrestricted,
        onHead: (ResponseHead) throws -> Void,
        onPiece: (Bytes) throws -> Void
    ) throws {
        try withoutActuallyEscaping(onHead) { onHead in
            try withoutActuallyEscaping(onPiece) { onPiece in
                try perform(request, allow, onHead, onPiece)
            }
        }
    }

    private static func perform(
        _ request: OutboundRequest,
        _ allow: AllowList,
        _ onHead: @escaping (ResponseHead) throws -> Void,
        _ onPiece: @escaping (Bytes) throws -> Void
    ) throws {
        var thrown: (any Error)?
        let transfer = try Transfer(
            request,
            options: Transfer.Options(allow: allow, connectTimeout: .seconds(5), proxy: nil)
        ) { head in
            do { try onHead(head) } catch { thrown = error }
        } onPiece: { piece in
            if thrown != nil { return .stop }
            do {
                try onPiece(Bytes(Array(piece)))
                return .taken
            } catch {
                thrown = error
                return .stop
            }
        }
        while true {
            let outcome = transfer.conclude(curl_easy_perform(transfer.easy))
            if let thrown { throw thrown }
            switch outcome {
            case .again: continue
            case .finished(let error?): throw error
            case .finished(nil): return
            }
        }
    }
}
