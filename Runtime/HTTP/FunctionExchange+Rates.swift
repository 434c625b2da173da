import FunctionCore
import Invocations

/// The rate limits of a function, which a request passes before anything else is done for it.
extension FunctionExchange {
    /// Asks for a token of each limit; starts anew, or answers with 429.
    func admit(_ rates: RouteRates) {
        guard let limiter = gateway.limiter else { return pass() }
        let claims = rates.claims(
            principal: gateway.principal(of: request),
            address: request.caller.address,
            headers: request.headers,
            hash: gateway.hash
        )
        let verdict = limiter.admit(claims, of: function ?? "", on: eventLoop) { verdict in
            self.decided(verdict, rates)
        }
        if let verdict { decided(verdict, rates) }
    }

    private func decided(_ verdict: RateVerdict, _ rates: RouteRates) {
        addedHeaders += [
            Header("ratelimit-policy", rates.policy), Header("ratelimit", rates.standing(verdict)),
        ]
        guard let refused = verdict.refused else { return pass() }
        answer(Refusal(rates.error(refused, verdict)))
    }

    private func pass() {
        isAdmitted = true
        // A client that left meanwhile is not worth running for.
        if output == nil { finish() } else { start() }
    }
}
