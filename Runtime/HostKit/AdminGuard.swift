import FunctionCore
import HTTPTrigger

/// Keeps web pages away from the admin port, which has no authentication.
///
/// A page that somebody opens on this machine can send requests to loopback, but not without an `Origin`, and
/// by a foreign name only with that name as `Host`.
enum AdminGuard {
    /// The route, refused with 403 to requests that come from a page or by another name than loopback's.
    static func guarded(_ route: EndpointRoute) -> EndpointRoute {
        EndpointRoute(route.method, route.pattern, bodyLimit: route.bodyLimit) { request in
            guard request.headers.first("origin") == nil,
                isLoopback(request.headers.first("host") ?? "")
            else {
                let message = "the admin port answers programs on this machine, as 127.0.0.1 or localhost"
                return .failure(FunctionError(status: 403, code: "not_local", message: message))
            }
            return await route.endpoint.respond(to: request)
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        let name = host.hasPrefix("[") ? host.prefix { $0 != "]" } + "]" : host.prefix { $0 != ":" }
        return ["127.0.0.1", "localhost", "[::1]"].contains(String(name))
    }
}
