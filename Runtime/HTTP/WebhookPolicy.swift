import FunctionCore
import Invocations

/// A manifest's `webhookOrigins:`, by which a sender of webhooks is told that it may (CloudEvents, "HTTP 1.1 Web Hooks for
/// Event Delivery", 4).
struct WebhookPolicy: Sendable {
    private let origins: Set<String>
    /// Requests a minute, `*` where there is no limit.
    private let rate: String

    /// Nil for a manifest that names nobody.
    init?(_ manifest: Manifest) {
        guard !manifest.webhookOrigins.isEmpty else { return nil }
        origins = Set(manifest.webhookOrigins.map { $0.lowercased() })
        let rates = manifest.rateLimits.map { Int(Double($0.count) * (.seconds(60) / $0.window)) }
        rate = rates.min().map { String(max(1, $0)) } ?? "*"
    }

    /// The fields of the permission for who asks, none where it has none.
    func permission(for origin: String, asksRate: Bool) -> [Header] {
        guard origins.contains("*") || origins.contains(origin.lowercased()) else { return [] }
        let allowed = Header("webhook-allowed-origin", origin)
        return asksRate ? [allowed, Header("webhook-allowed-rate", rate)] : [allowed]
    }
}
