import FunctionCore
import Invocations

/// What a gateway is told about its surroundings.
package struct GatewaySettings: Sendable {
    /// A header whose value is the principal's name.
    ///
    /// Set it only where a proxy in front removes it from what clients send.
    package var principalHeader: String?
    /// The proxies in front, which alone are believed about clients; where there are any, the principal's
    /// header counts only from them.
    package var proxies = TrustedProxies.none
    /// Whether replies are compressed for clients that take it.
    package var compresses = true
    /// Requests to endpoints that may be under way at once; more are answered with 503.
    package var maxEndpointRequests: Int = 1024
    /// The longest reply that is kept for an `Idempotency-Key`; a longer one is sent, and its key let go.
    package var maxKeptReply: Int = 1024 * 1024

    /// What a request with a header `x-swiftlet-record` or `x-swiftlet-fault` asks for beyond its reply.
    package var trials: @Sendable ([Header]) throws(FunctionError) -> Trial? = { _ in nil }

    package init() {}
}
