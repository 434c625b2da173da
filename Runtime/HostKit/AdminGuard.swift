import FunctionCore
import HTTPTrigger

/// Stands before every route of the admin port: lets in who may come, and tells browsers what an answer may do.
struct AdminGuard: Sendable {
    let access: AdminAccess

    func guarded(_ routes: [EndpointRoute]) -> [EndpointRoute] {
        routes.map { guarded($0, ["/healthz", "/readyz"].contains($0.pattern) ? .open : .program) }
    }

    /// The route behind a door.
    ///
    /// `refused` answers where the token is missing; by default that is the error as JSON.
    func guarded(
        _ route: EndpointRoute,
        _ door: AdminAccess.Door,
        policy: String = "default-src 'none'; frame-ancestors 'none'; sandbox",
        refused: (@Sendable () -> EndpointResponse)? = nil
    ) -> EndpointRoute {
        var guarded = route
        guarded.endpoint = EndpointClosure { [access] request in
            var response: EndpointResponse
            switch access.refusal(request.method, request.headers, door) {
            case nil: response = await route.endpoint.respond(to: request)
            case .token where refused != nil:
                response = refused?() ?? .failure(AdminAccess.Refusal.token.error)
            case .token:
                response = .failure(AdminAccess.Refusal.token.error)
                response.headers.append(Header("www-authenticate", "Bearer realm=\"swiftlet\""))
            case .some(let refusal): response = .failure(refusal.error)
            }
            response.headers += AdminGuard.fields(policy)
            return response
        }
        if let invocation = route.invocation {
            guarded.invocation = { [access] request in
                // What is refused is so by the endpoint above.
                guard access.refusal(request.method, request.headers, door) == nil else { return nil }
                guard var call = invocation(request) else { return nil }
                let respond = call.respond
                call.respond = { reply in
                    var response = respond(reply)
                    response.headers += AdminGuard.fields(policy)
                    return response
                }
                return call
            }
        }
        return guarded
    }

    private static func fields(_ policy: String) -> [Header] {
        [
            // Added to what the answer says itself: where there are two, both hold.
            Header("content-security-policy", policy), Header("x-content-type-options", "nosniff"),
            Header("cross-origin-resource-policy", "same-origin"),
            // Not `no-referrer`: browsers then hide the origin of the console's own forms.
            Header("referrer-policy", "same-origin"),
        ]
    }
}
