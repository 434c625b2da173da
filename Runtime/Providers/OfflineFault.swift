import FunctionCore

/// A failure that a test asks the offline provider for: by the header `x-swiftlet-fault: 429`, or by
/// `[[offline:429]]` in a prompt.
///
/// Nothing else makes the offline provider fail.
package enum OfflineFault: String, Sendable, CaseIterable {
    /// Too many requests; asks to come back in 20 ms.
    case rateLimited = "429"
    /// No quota; asking again is of no use.
    case quota
    /// The key is refused.
    case unauthorized = "401"
    case serverError = "500"
    case policy
    /// The text is cut as if the model had run out of tokens.
    case length
    /// JSON that breaks off.
    case badJSON = "bad-json"
    /// The same, but only until the request asks for a repair.
    case badJSONOnce = "bad-json-once"
    /// A stream that fails half way, by an event with an error.
    case midStream = "mid-stream"
    /// A stream that ends half way, without a word.
    case cut

    /// The fault that a request asks for.
    static func asked(headers: [Header], prompt: String) -> OfflineFault? {
        if let name = headers.first("x-swiftlet-fault") { return OfflineFault(rawValue: name) }
        guard prompt.contains("[[offline:") else { return nil }
        return allCases.first { prompt.contains("[[offline:\($0.rawValue)]]") }
    }

    /// The answer of those faults that need no text.
    var answer: OfflineAnswer? {
        switch self {
        case .rateLimited:
            .error(
                429,
                "Rate limit reached, as the request asked.",
                type: "requests",
                code: "rate_limit_exceeded",
                headers: [Header("retry-after-ms", "20"), Header("x-ratelimit-remaining-requests", "0")]
            )
        case .quota:
            .error(
                429,
                "The quota is used up, as the request asked.",
                type: "insufficient_quota",
                code: "insufficient_quota"
            )
        case .unauthorized:
            .error(401, "The key is refused, as the request asked.", code: "invalid_api_key")
        case .serverError:
            .error(500, "Failed, as the request asked.", type: "server_error")
        case .policy:
            .error(400, "Refused by policy, as the request asked.", code: "content_policy_violation")
        case .length, .badJSON, .badJSONOnce, .midStream, .cut:
            nil
        }
    }
}
