import FunctionCore
import Invocations
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
    let sockets: SocketTable
    let limiter: (any RateLimiting)?
    let hash: @Sendable (Bytes) -> String
    let report: (@Sendable (RequestReport) -> Void)?
    private let table: Mutex<Router>
    private let endpointRequests = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)

    /// A gateway with what stands behind it.
    ///
    /// Without `dispatching` it has endpoints only; without `jobs` asynchronous routes are answered with
    /// 503; without `keeper` idempotency keys are ignored,
    /// without `limiter` rate limits. `hash` is a collision-resistant hash as text,
    /// SHA-256 in the host, and runs outside the event loops. `report` is told of each request at its end,
    /// on the request's event loop, so it must be cheap.
    package init(
        router: Router,
        settings: GatewaySettings = GatewaySettings(),
        dispatching: (any Dispatching)? = nil,
        jobs: (any JobAccepting)? = nil,
        keeper: (any IdempotencyKeeping)? = nil,
        sockets: SocketTable = SocketTable(),
        limiter: (any RateLimiting)? = nil,
        hash: @escaping @Sendable (Bytes) -> String,
        report: (@Sendable (RequestReport) -> Void)? = nil
    ) {
        self.settings = settings
        self.dispatching = dispatching
        self.jobs = jobs
        self.keeper = keeper
        self.sockets = sockets
        self.limiter = limiter
        self.hash = hash
        self.report = report
        self.table = Mutex(router)
    }

    /// Puts another table of routes in force; requests under way keep the route they have.
    package func replace(router: Router) {
        table.withLock { $0 = router }
    }

    /// Refuses whatever comes from now on with 503; requests under way go on.
    package func refuseNew() {
        stopping.store(true, ordering: .relaxed)
    }

    /// Whether connections end with the answers that go out now.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// An exchange for bytes on `output` that did not become a request.
    package func exchange(refusing refusal: Exchange.Refusal, on output: any ReplyOutput) -> Exchange {
        Exchange(RequestHead(method: .other("-"), target: ""), self, output, refusing: refusal)
    }

    /// The exchange that answers a request on `output`.
    package func exchange(for head: consuming RequestHead, on output: any ReplyOutput) -> Exchange {
        var request = head
        attribute(&request, output)
        if request.unknownExpectation { return Exchange(request, self, output, refusing: .expectation) }
        if request.method == .connect { return Exchange(request, self, output, refusing: .connect) }
        let router = table.withLock { $0 }
        if isStopping {
            let policy = router.policy(request.method.text, request.target)
            return RefusalExchange(request, self, output, .stopping, policy)
        }
        switch router.match(request.method.text, request.target) {
        case .found(.function(let route), let parameters):
            return FunctionExchange(request, route, parameters, self, output)
        case .found(.webSocket(let route), let parameters):
            return WebSocketExchange(request, route, parameters, self, output)
        case .found(.endpoint(let route), let parameters):
            return EndpointExchange(request, route, parameters, self, output)
        case .otherMethods(let methods) where request.method == .options:
            return options(request, router, methods, output)
        case .unknown where request.method == .options && request.target == "*":
            return options(request, router, Router.everyMethod, output)
        case .otherMethods(let methods):
            let policy = methods.lazy.compactMap { router.policy($0, request.target) }.first
            return RefusalExchange(request, self, output, .wrongMethod(request, methods), policy)
        case .unknown:
            return Exchange(request, self, output, refusing: .noRoute)
        }
    }

    /// Finds out who sent a request, and drops what others than trusted proxies say of that.
    private func attribute(_ request: inout RequestHead, _ output: any ReplyOutput) {
        request.caller = Caller(address: output.remoteAddress, scheme: output.isSecure ? "https" : "http")
        guard request.hasForwarders || settings.principalHeader != nil else { return }
        let isTrusted = settings.proxies.trusts(request.caller.address)
        request.isFromProxy = isTrusted
        guard request.hasForwarders else { return }
        if isTrusted {
            request.caller = settings.proxies.caller(behind: request.caller, request.headers)
        }
        let drops = { self.settings.proxies.drops($0, fromTrusted: isTrusted) }
        if request.headers.contains(where: { drops($0.name) }) { request = request.without(drops) }
    }

    /// Who asks, where a trusted proxy says so.
    func principal(of request: RequestHead) -> String? {
        guard let name = settings.principalHeader, request.isFromProxy || settings.proxies.isEmpty else {
            return nil
        }
        return request.headers.first { $0.name.isHeader(name) && !$0.value.isEmpty }?.value
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
}
