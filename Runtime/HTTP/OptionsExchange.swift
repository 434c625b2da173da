import FunctionCore
import NIOCore

/// A request for what may be asked of a path: answered by the gateway, whoever the path belongs to.
// SAFETY: as Exchange: all state belongs to its loop; `fields` never change.
final class OptionsExchange: Exchange, @unchecked Sendable {
    private let fields: [Header]

    init(_ request: RequestHead, _ gateway: Gateway, _ output: any ReplyOutput, _ fields: [Header]) {
        self.fields = fields
        super.init(request, gateway, output)
    }

    package override func start() {
        if let refusal { return answer(refusal) }
        answer(status: 204, headers: fields, body: ByteBuffer())
    }
}

extension Gateway {
    /// The answer to OPTIONS where no route claims the method itself; nil where the path is not known.
    ///
    /// The policy of a preflight is that of the route that the page is about to call; who asks to send webhooks
    /// hears whether it may.
    func options(
        _ request: RequestHead,
        _ router: Router,
        _ methods: [String],
        _ output: any ReplyOutput
    ) -> Exchange {
        var fields = [Header("allow", Exchange.Refusal.allowed(methods + ["OPTIONS"]))]
        if let origin = request.origin, let method = request.headers.first("access-control-request-method"),
            let policy = router.policy(method, request.target)
        {
            fields += policy.preflight(for: origin)
        }
        if let sender = request.headers.first("webhook-request-origin"),
            case .found(.function(let route), _) = router.match("POST", request.target),
            let policy = route.webhooks
        {
            let asksRate = request.headers.first("webhook-request-rate") != nil
            fields += policy.permission(for: sender, asksRate: asksRate)
        }
        return OptionsExchange(request, self, output, fields)
    }
}

extension Router {
    /// Every method that some route takes, for `OPTIONS *`.
    static let everyMethod = ["DELETE", "GET", "PATCH", "POST", "PUT"]

    /// The policy for requests of other origins that holds for a route.
    func policy(_ method: String, _ target: String) -> CORSPolicy? {
        guard case .found(let route, _) = match(method, target) else { return nil }
        switch route {
        case .function(let route): return route.cors
        case .endpoint(let route): return route.cors
        case .webSocket: return nil
        }
    }
}
