import Fetch
import FunctionCore

/// What a provider's failure means: what the caller is told, and whether asking again can help.
///
/// Decided once, here, from status, headers and body; the rest of the module only obeys.
package struct ProviderFailure: Error, Sendable {
    package var error: FunctionError
    /// Whether the same request may succeed in a moment.
    package var isTransient: Bool
    /// How long the provider asks to wait.
    package var wait: Duration?

    package init(_ error: FunctionError, isTransient: Bool = false, wait: Duration? = nil) {
        self.error = error
        self.isTransient = isTransient
        self.wait = wait
    }

    /// The meaning of a reply with a status of 400 or above.
    ///
    /// `secret` is blotted out of what the provider says.
    package init(status: Int, headers: [Header], body: Bytes, secret: String?) {
        let detail = (try? JSON.parse(body))?["error"]
        let words = [detail?["code"]?.stringValue, detail?["type"]?.stringValue].compactMap { $0 }
        let said = ProviderFailure.readable(detail?["message"]?.stringValue, secret: secret)
        wait = RetryRule.wait(headers)
        switch status {
        case _ where words.contains(where: ProviderFailure.policyCodes.contains):
            error = ProviderFailure.policy(said)
            isTransient = false
        case _ where words.contains(where: ProviderFailure.quotaCodes.contains), 402:
            error = ProviderFailure.refused(
                "its account has no quota left; see to billing, or name another provider"
            )
            isTransient = false
        case 401, 403:
            // What a vendor says here often repeats part of the key.
            error = ProviderFailure.refused(
                "it does not accept the key (status \(status)); check the configured key"
            )
            isTransient = false
        case 429:
            error = FunctionError(
                status: 429,
                code: "provider_rate_limited",
                message: "the provider limits the rate of requests; try again later",
                retry: .after(wait ?? .seconds(5))
            )
            isTransient = true
        case 408, 409, 500...:
            error = ProviderFailure.unavailable("the provider answered with status \(status)")
            isTransient = true
        default:
            error = ProviderFailure.refused("status \(status)\(said.isEmpty ? "" : ": \(said)")")
            isTransient = false
        }
        // The provider knows best.
        switch headers.first("x-should-retry") {
        case "true": isTransient = true
        case "false": isTransient = false
        default: break
        }
    }

    /// The meaning of an error event within a stream, or of an error in a reply with status 200.
    package init(event detail: JSON, secret: String?) {
        let code = detail["code"]?.stringValue ?? detail["type"]?.stringValue ?? ""
        let said = ProviderFailure.readable(detail["message"]?.stringValue, secret: secret)
        if ProviderFailure.policyCodes.contains(code) {
            self.init(ProviderFailure.policy(said))
        } else {
            self.init(ProviderFailure.unavailable("the provider broke off\(said.isEmpty ? "" : ": \(said)")"))
        }
    }

    /// The meaning of a request that never got a reply.
    init(_ error: FetchError) {
        switch error.code {
        case .cancelled, .closed:
            self.init(FunctionError(status: 503, code: "provider_unavailable", message: error.message))
        case .refused, .invalidRequest:
            self.init(ProviderFailure.refused(error.message))
        case .tooLarge:
            self.init(ProviderFailure.unavailable(error.message))
        case .unreachable, .broken, .timedOut, .busy:
            self.init(ProviderFailure.unavailable(error.message), isTransient: true)
        }
    }

    /// A 200 that makes no sense.
    static func unreadable(_ what: String) -> ProviderFailure {
        ProviderFailure(unavailable("the provider's answer cannot be read: \(what)"), isTransient: true)
    }

    static func policy(_ said: String) -> FunctionError {
        FunctionError(
            status: 422,
            code: "content_policy",
            message:
                "the provider's content policy refuses this"
                + (said.isEmpty ? "; change the prompt" : ": \(said)"),
            retry: .never
        )
    }

    static func refused(_ reason: String) -> FunctionError {
        FunctionError(
            status: 502,
            code: "provider_refused",
            message: "the provider refused the request: \(reason)",
            retry: .never
        )
    }

    static func unavailable(_ reason: String) -> FunctionError {
        FunctionError(status: 503, code: "provider_unavailable", message: reason, retry: .after(.seconds(5)))
    }

    private static let policyCodes: Set<String> = [
        "content_policy_violation", "content_filter", "moderation_blocked", "safety_violation",
    ]
    private static let quotaCodes: Set<String> = ["insufficient_quota", "billing_hard_limit_reached"]

    /// A vendor's text on one line, without the secret, and of a length that a log can take.
    private static func readable(_ text: String?, secret: String?) -> String {
        guard var text else { return "" }
        if let secret, !secret.isEmpty {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "…")
        }
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return line.count > 300 ? line.prefix(300) + "…" : line
    }
}
