import Fetch
import FunctionCore
import Invocations

/// The binding `fetch`: a function's own requests to the outside, under the host's policy.
package struct FetchService: BindingService {
    package let binding = "fetch"
    /// The largest reply, as the binding's documentation promises.
    private static let replyLimit = 8 * 1024 * 1024
    private static let longest: Duration = .seconds(60)
    /// Fields that the connection itself decides.
    private static let reserved: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect",
        "proxy-authorization", "proxy-connection", "keep-alive",
    ]
    private let fetcher: Fetcher

    /// The fetcher must be one that serves functions alone; see `Fetcher`.
    package init(_ fetcher: Fetcher) {
        self.fetcher = fetcher
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        guard call.method == "send" else { throw call.unknownMethod(of: binding) }
        let request = try call.decode(FetchRequest.self)
        for name in request.headers.keys where FetchService.reserved.contains(name.lowercased()) {
            throw FunctionError.invalid(
                "headers.\(name)",
                "reserved",
                "the header \(name) is set by the host; leave it out"
            )
        }
        var headers = request.headers.sorted { $0.key < $1.key }.map { Header($0.key, $0.value) }
        // Who asks goes on with the trace, unless the function has one of its own in mind.
        if headers.first("traceparent") == nil {
            headers.append(Header("traceparent", call.origin.trace.traceparent))
        }
        let remaining = call.origin.deadline - Monotonic.now
        let outbound = OutboundRequest(
            method: request.method.uppercased(),
            url: request.url,
            headers: headers,
            body: call.body,
            timeout: max(.milliseconds(1), min(remaining, FetchService.longest)),
            responseLimit: FetchService.replyLimit
        )
        do {
            let response = try await fetcher.send(outbound)
            call.origin.facts.tell("http.request.method", .string(outbound.method))
            call.origin.facts.tell("http.response.status_code", .integer(Int64(response.status)))
            // Of a field that comes several times, such as set-cookie, all values are kept, as lines.
            let headers = Dictionary(response.headers.map { ($0.name, $0.value) }) { "\($0)\n\($1)" }
            try answer.send(encoding: FetchHead(status: response.status, headers: headers))
            for try await piece in response.body { try await answer.write(piece) }
        } catch let error as FetchError {
            throw try FetchService.meaning(of: error)
        }
    }

    private static func meaning(of error: FetchError) throws -> FunctionError {
        switch error.code {
        case .cancelled:
            throw CancellationError()
        case .refused:
            return FunctionError(status: 403, code: "fetch_refused", message: error.message, retry: .never)
        case .invalidRequest:
            return FunctionError(
                status: 422,
                code: "invalid_arguments",
                message: error.message,
                retry: .never
            )
        case .tooLarge:
            return FunctionError(status: 502, code: "fetch_failed", message: error.message, retry: .never)
        case .unreachable, .broken, .timedOut, .busy, .closed:
            return FunctionError(status: 502, code: "fetch_failed", message: error.message)
        }
    }
}
