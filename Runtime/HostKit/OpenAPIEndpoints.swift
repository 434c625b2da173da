import FunctionCore
import HTTPTrigger
import Invocations
import OpenAPI

/// This release of Swiftlet.
package enum Release {
    package static let version = "0.1.0"
}

/// The documents of the host's ports, as they are in force.
struct OpenAPIEndpoints: Sendable {
    let live: LiveGeneration

    /// The gateway's document, good at the address it was asked at.
    func gateway() -> EndpointResponse {
        .json(openAPIDocument(live.current.project.manifests, url: "/"))
    }

    /// Routes of the admin port with those that tell of them.
    func documenting(_ routes: [EndpointRoute]) -> [EndpointRoute] {
        let paths = ["/openapi.json", "/openapi/gateway.json"].map { (method: "GET", pattern: $0) }
        let all = routes.map { (method: $0.method, pattern: $0.pattern) } + paths
        let document = AdminDocument(all, version: Release.version, url: "/").json
        return routes + [
            EndpointRoute("GET", paths[0].pattern) { _ in .json(document) },
            // Its routes are the gateway's, whose address this port does not know.
            EndpointRoute("GET", paths[1].pattern) { _ in
                .json(openAPIDocument(live.current.project.manifests))
            },
        ]
    }
}

/// The document of a gateway that serves these functions.
package func openAPIDocument(_ manifests: [Manifest], url: String? = nil) -> JSON {
    GatewayDocument(manifests, version: Release.version, url: url).json
}
