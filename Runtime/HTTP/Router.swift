import Invocations

/// A function's claim to a route, as its manifest states it.
package struct RouteClaim: Sendable, Hashable {
    package var function: String
    /// The manifest's file, for messages.
    package var file: String
    package var route: Manifest.Route

    package init(function: String, file: String, route: Manifest.Route) {
        self.function = function
        self.file = file
        self.route = route
    }
}

/// A route that cannot be served, and why.
package struct RouteProblem: Sendable {
    package var claim: RouteClaim
    package var message: String
}

/// Which function or endpoint answers a request.
package struct Router: Sendable {
    private var tree = RouteTree<RouteTarget>()

    /// Builds the table.
    ///
    /// Endpoints come first: a function cannot take the host's own routes away.
    /// - Throws: `ServerError` `bad_routes` that lists every problem; `check` finds the same ones with their
    ///   lines.
    package init(functions: [Manifest] = [], endpoints: [EndpointRoute] = []) throws(ServerError) {
        var faults: [String] = []
        for endpoint in endpoints {
            do {
                tree.insert(endpoint.method, try .endpoint(endpoint.pattern), .endpoint(endpoint))
            } catch {
                faults.append("\(endpoint.method) \(endpoint.pattern): \(error)")
            }
        }
        faults += Router.problems(functions).map { "\($0.claim.function): \($0.message)" }
        for (first, second) in Router.conflicts(functions, endpoints: endpoints) {
            let route = "\(second.route.method) \(second.route.path)"
            faults.append("\(second.function): \(route) belongs to \(first.function) already")
        }
        guard faults.isEmpty else {
            throw ServerError(code: "bad_routes", message: faults.joined(separator: "; "))
        }
        let policies = functions.map { manifest in
            manifest.cors.map { CORSPolicy($0, routes: manifest.routes) }
        }
        for (manifest, policy) in zip(functions, policies) {
            for route in manifest.routes {
                guard let pattern = try? RoutePattern(route.path) else { continue }
                tree.insert(route.method, pattern, .function(FunctionRoute(manifest, route, policy)))
            }
            for socket in manifest.webSockets {
                guard let pattern = try? RoutePattern(socket.path) else { continue }
                tree.insert("GET", pattern, .webSocket(WebSocketRoute(manifest, socket)))
            }
        }
        // Last, so that a function's own route at a folder's place stays the function's.
        for (manifest, policy) in zip(functions, policies) { insertFolders(of: manifest, policy) }
    }

    private mutating func insertFolders(of manifest: Manifest, _ cors: CORSPolicy?) {
        for folder in manifest.folders {
            for pattern in (try? RoutePattern.folder(folder.path)) ?? [] {
                var route = EndpointRoute("GET", pattern.text, bodyLimit: 0, StaticFolder(settings: folder))
                route.cors = cors
                tree.insert("GET", pattern, .endpoint(route))
            }
        }
    }

    /// Finds who answers.
    func match(_ method: String, _ target: String) -> RouteTree<RouteTarget>.Match {
        tree.match(method, target)
    }

    /// All pairs of claims to one method and one pattern, the names of parameters aside.
    ///
    /// The first of a pair is the earlier one; an endpoint of the host appears as the function `swiftlet`.
    package static func conflicts(
        _ functions: [Manifest],
        endpoints: [EndpointRoute] = []
    ) -> [(RouteClaim, RouteClaim)] {
        let own = endpoints.map {
            RouteClaim(
                function: "swiftlet",
                file: "",
                route: Manifest.Route(method: $0.method, path: $0.pattern, operation: "")
            )
        }
        var holders: [String: RouteClaim] = [:]
        var conflicts: [(RouteClaim, RouteClaim)] = []
        for claim in own + claims(of: functions) {
            guard let pattern = try? RoutePattern(claim.route.path) else { continue }
            let key = "\(claim.route.method) \(pattern.erased)"
            if let holder = holders[key] {
                conflicts.append((holder, claim))
            } else {
                holders[key] = claim
            }
        }
        return conflicts
    }

    /// Routes with a malformed or reserved path, or a method that no HTTP client sends.
    package static func problems(_ functions: [Manifest]) -> [RouteProblem] {
        claims(of: functions).compactMap { claim -> RouteProblem? in
            let route = claim.route
            guard methods.contains(route.method) else {
                let known = methods.joined(separator: ", ")
                return RouteProblem(
                    claim: claim,
                    message: "the method `\(route.method)` is not one of \(known)"
                )
            }
            do {
                guard try RoutePattern(route.path).isReserved else { return nil }
            } catch {
                return RouteProblem(claim: claim, message: "\(error)")
            }
            let prefix = RoutePattern.reservedPrefix
            return RouteProblem(
                claim: claim,
                message:
                    "the path `\(route.path)` lies under `\(prefix)`, which is the host's own; choose another"
            )
        }
    }

    /// The methods a function may claim.
    ///
    /// HEAD is answered by the route of GET.
    private static let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    private static func claims(of functions: [Manifest]) -> [RouteClaim] {
        functions.flatMap { manifest in
            // A handshake is a GET.
            let sockets = manifest.webSockets.map {
                Manifest.Route(method: "GET", path: $0.path, operation: $0.operation, line: $0.line)
            }
            let folders = manifest.folders.map {
                let path = $0.path == "/" ? "/{file*}" : $0.path + "/{file*}"
                return Manifest.Route(method: "GET", path: path, operation: "", line: $0.line)
            }
            return (manifest.routes + sockets + folders).map {
                RouteClaim(function: manifest.name, file: manifest.file, route: $0)
            }
        }
    }
}

/// Who answers a route.
enum RouteTarget: Sendable {
    case function(FunctionRoute)
    case webSocket(WebSocketRoute)
    case endpoint(EndpointRoute)
}

/// What the gateway needs of a manifest to serve one of its routes; a class, so that a request carries one
/// reference.
final class FunctionRoute: Sendable {
    let function: String
    let pattern: String
    let operation: String
    let answersWithJob: Bool
    let bodyLimit: Int
    /// Whether an `Idempotency-Key` counts here.
    let keepsKeys: Bool
    /// How often it may be asked for; nil for as often as one likes.
    let rates: RouteRates?
    let cors: CORSPolicy?
    let webhooks: WebhookPolicy?

    init(_ manifest: Manifest, _ route: Manifest.Route, _ cors: CORSPolicy?) {
        self.cors = cors
        webhooks = route.method == "POST" ? WebhookPolicy(manifest) : nil
        function = manifest.name
        pattern = route.path
        operation = route.operation
        answersWithJob = route.async
        bodyLimit = manifest.limits.payload
        rates = RouteRates(manifest)
        keepsKeys = manifest.idempotencyKeys && ["POST", "PUT", "PATCH", "DELETE"].contains(route.method)
    }
}
