import FunctionCore
import Invocations
import NIOHTTP1
import Synchronization

/// Decides what becomes of a request: which function or endpoint it belongs to, what it may carry, and
/// whether it runs at once, as a job, or not at all.
///
/// One gateway may serve several servers and loops.
package final class Gateway: Sendable {
    let settings: GatewaySettings
    let dispatching: (any Dispatching)?
    let jobs: (any JobAccepting)?
    let keeper: (any IdempotencyKeeping)?
    let hash: @Sendable (Bytes) -> String
    let report: (@Sendable (RequestReport) -> Void)?
    private let table: Mutex<Router>
    private let endpointRequests = Atomic<Int>(0)

    /// A gateway with what stands behind it.
    ///
    /// Without `dispatching` it has endpoints only; without `jobs` asynchronous routes are answered with
    /// 503; without `keeper` idempotency keys are ignored. `hash` is a collision-resistant hash as text,
    /// SHA-256 in the host, and runs outside the event loops. `report` is told of each request at its end,
    /// on the request's event loop, so it must be cheap.
    package init(
        router: Router,
        settings: GatewaySettings = GatewaySettings(),
        dispatching: (any Dispatching)? = nil,
        jobs: (any JobAccepting)? = nil,
        keeper: (any IdempotencyKeeping)? = nil,
        hash: @escaping @Sendable (Bytes) -> String,
        report: (@Sendable (RequestReport) -> Void)? = nil
    ) {
        self.settings = settings
        self.dispatching = dispatching
        self.jobs = jobs
        self.keeper = keeper
        self.hash = hash
        self.report = report
        self.table = Mutex(router)
    }

    /// Puts another table of routes in force; requests under way keep the route they have.
    package func replace(router: Router) {
        table.withLock { $0 = router }
    }

    /// The exchange that answers a request.
    func exchange(for head: HTTPRequestHead, on connection: HTTPConnection) -> Exchange {
        let fields = RequestFields(head.headers, principalHeader: settings.principalHeader)
        let request = Exchange.Request(head: head, fields: fields)
        if let failure = Gateway.fault(of: head, fields, connection.settings) {
            return Exchange(request, self, connection, refusing: failure)
        }
        let router = table.withLock { $0 }
        switch router.match(head.method.rawValue, head.uri) {
        case .found(.function(let route), let parameters):
            return FunctionExchange(request, route, parameters, self, connection)
        case .found(.endpoint(let route), let parameters):
            return EndpointExchange(request, route, parameters, self, connection)
        case .otherMethods(let methods):
            return Exchange(request, self, connection, refusing: .wrongMethod(head, methods))
        case .unknown:
            return Exchange(request, self, connection, refusing: .noRoute)
        }
    }

    /// Counts a request to an endpoint in, unless there are too many.
    func enterEndpoint() -> Bool {
        guard endpointRequests.add(1, ordering: .relaxed).newValue > settings.maxEndpointRequests else {
            return true
        }
        leaveEndpoint()
        return false
    }

    /// Counts it out.
    func leaveEndpoint() {
        endpointRequests.subtract(1, ordering: .relaxed)
    }

    /// What forbids any answer but an error, whatever the route.
    private static func fault(
        of head: HTTPRequestHead,
        _ fields: RequestFields,
        _ settings: ServerSettings
    ) -> Exchange.Refusal? {
        if head.uri.utf8.count > settings.maxTargetBytes { return .longTarget(settings.maxTargetBytes) }
        if fields.hosts > 1 || (fields.hosts == 0 && head.version == .http1_1) {
            let error = FunctionError.badRequest("bad_request", "a request must have exactly one Host header")
            return Exchange.Refusal(error, closes: true)
        }
        if fields.unknownExpectation {
            let message = "the only expectation known here is `100-continue`"
            return Exchange.Refusal(FunctionError(status: 417, code: "expectation_failed", message: message))
        }
        return nil
    }
}
