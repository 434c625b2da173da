import Fetch
import FunctionCore
import Invocations

/// Sends one endpoint's requests, and sends them again where that may help.
///
/// The one layer that retries.
package struct ProviderClient: Sendable {
    package let endpoint: ProviderEndpoint
    private let fetcher: Fetcher
    private let rule: RetryRule
    private let sleep: @Sendable (Duration) async throws -> Void
    private let spread: @Sendable () -> Double
    private let fault: @Sendable (CallOrigin) -> InjectedFault.Provider?

    /// A client of `endpoint`, where `sleep` waits between attempts and `spread` gives a random number from 0
    /// to 1; `fault` says what is to happen to a request instead of an answer.
    package init(
        _ endpoint: ProviderEndpoint,
        fetcher: Fetcher,
        rule: RetryRule = RetryRule(),
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        spread: @escaping @Sendable () -> Double = { Double.random(in: 0...1) },
        fault: @escaping @Sendable (CallOrigin) -> InjectedFault.Provider? = { _ in nil }
    ) {
        self.endpoint = endpoint
        self.fetcher = fetcher
        self.rule = rule
        self.sleep = sleep
        self.spread = spread
        self.fault = fault
    }

    /// Posts `body` and gives the reply to `read`; both are repeated while the failure is transient and time
    /// is left.
    /// - Throws: `FunctionError`.
    func post<Value: Sendable>(
        _ path: String,
        _ body: JSON,
        for origin: CallOrigin,
        responseLimit: Int,
        read: (InboundResponse) async throws -> Value
    ) async throws -> Value {
        var attempt = 0
        while true {
            try Task.checkCancellation()
            let remaining = origin.deadline - Monotonic.now
            guard remaining > .zero else {
                throw ProviderFailure.unavailable(
                    "the invocation's time was over before the provider answered"
                )
            }
            do {
                var request = OutboundRequest(
                    method: "POST",
                    url: endpoint.baseURL + path,
                    headers: headers(origin),
                    body: body.bytes(),
                    timeout: min(remaining, .seconds(600)),
                    responseLimit: responseLimit
                )
                if let fault = fault(origin) {
                    request = try await failing(request, fault, isStream: body["stream"]?.boolValue == true)
                }
                return try await read(try await checked(request, origin))
            } catch let error as FetchError where error.code == .cancelled {
                throw CancellationError()
            } catch {
                guard let failure = ProviderClient.failure(error) else { throw error }
                let left = origin.deadline - Monotonic.now
                guard let wait = rule.wait(failure, attempt: attempt, remaining: left, spread: spread())
                else {
                    throw failure.error
                }
                attempt += 1
                origin.facts.tell("http.request.resend_count", .integer(Int64(attempt)))
                try await sleep(wait)
            }
        }
    }

    /// The bytes behind a URL that the provider gave, without the provider's key.
    func download(_ url: String, for origin: CallOrigin, limit: Int) async throws -> Bytes {
        let remaining = origin.deadline - Monotonic.now
        let request = OutboundRequest(
            url: url,
            timeout: max(.milliseconds(1), min(remaining, .seconds(60))),
            redirects: 3,
            responseLimit: limit
        )
        do {
            let response = try await fetcher.send(request)
            guard response.status == 200 else {
                throw FunctionError(
                    status: 502,
                    code: "bad_image",
                    message:
                        "the provider's picture at \(redacted(url)) answered with status \(response.status)"
                )
            }
            return try await response.body.collect(limit: limit)
        } catch let error as FetchError {
            throw FunctionError(
                status: 502,
                code: "bad_image",
                message: "the picture cannot be fetched: \(error.message)"
            )
        }
    }

    /// Whether a reply came from the offline provider.
    func isOffline(_ response: InboundResponse) -> Bool {
        response.headers.first("x-swiftlet-offline") == "1"
    }

    /// The request of which the offline provider makes that failure; one that it cannot make, and all of them
    /// with a provider that is not ours, are thrown.
    private func failing(
        _ request: OutboundRequest,
        _ fault: InjectedFault.Provider,
        isStream: Bool
    ) async throws -> OutboundRequest {
        var request = request
        let status: Int
        switch fault {
        case .hang:
            try await sleep(request.timeout)
            throw ProviderFailure.unavailable("the provider did not answer, as was asked for")
        case .cut:
            guard endpoint.offline, isStream else {
                throw ProviderFailure(
                    ProviderFailure.unavailable("the connection broke off, as was asked for"),
                    isTransient: true
                )
            }
            status = 0
        case .rateLimited: status = 429
        case .serverError: status = 500
        }
        guard endpoint.offline else {
            let headers = [Header("retry-after-ms", "20")]
            throw ProviderFailure(status: status, headers: headers, body: Bytes(), secret: nil)
        }
        request.headers.append(Header("x-swiftlet-fault", fault.rawValue))
        return request
    }

    private func checked(_ request: OutboundRequest, _ origin: CallOrigin) async throws -> InboundResponse {
        let response = try await fetcher.send(request)
        origin.facts.tell("http.response.status_code", .integer(Int64(response.status)))
        guard response.status >= 300 else { return response }
        let body = (try? await response.body.collect(limit: 64 * 1024)) ?? Bytes()
        throw ProviderFailure(
            status: response.status,
            headers: response.headers,
            body: body,
            secret: endpoint.apiKey
        )
    }

    private func headers(_ origin: CallOrigin) -> [Header] {
        var headers = [
            Header.json,
            Header("accept", "application/json, text/event-stream"),
            Header("x-client-request-id", origin.invocation), Header("traceparent", origin.trace.traceparent),
        ]
        if let key = endpoint.apiKey { headers.append(Header("authorization", "Bearer \(key)")) }
        return headers
    }

    private static func failure(_ error: any Error) -> ProviderFailure? {
        switch error {
        case let failure as ProviderFailure: failure
        case let error as FetchError: ProviderFailure(error)
        default: nil
        }
    }
}
