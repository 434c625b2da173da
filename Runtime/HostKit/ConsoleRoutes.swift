import Console
import FunctionCore
import HTTPTrigger
import Invocations
import Storage

/// The console: pages below `/console` on the admin port.
///
/// Their forms and scripts ask for nothing elsewhere, so that the session's cookie is sent nowhere else.
struct ConsoleRoutes {
    let host: HostState
    let jobs: JobsAPI
    var rates: ConsoleRates { host.telemetry.rates }
    let access: AdminAccess
    /// The admin API's routes, of which the console asks what it has no other way to.
    let api: [EndpointRoute]

    /// `blob:` for what a function replied, which its script holds: only what cannot act is shown so.
    private static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; \
        connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
        trusted-types console; require-trusted-types-for 'script'
        """

    var routes: [EndpointRoute] {
        [
            guarded(EndpointRoute("GET", "/") { _ in .seeOther("/console") }),
            page("/console") { _ in try await self.overview().page },
            page("/console/functions") { _ in try await self.functions().page },
            page("/console/functions/{name}") { try await self.function($0).page() },
            page("/console/invocations") { self.invocations($0).page },
            page("/console/invocations/{id}") { try await self.invocation($0).page },
            live("/console/live/frame") { _ in [] },
            live("/console/live/invocations") { self.invocations($0).parts },
            live("/console/live/overview") { _ in try await self.overview().parts },
            live("/console/live/functions") { _ in try await self.functions().parts },
            live("/console/live/functions/{name}") { try await self.function($0).parts },
            guarded(
                EndpointRoute("POST", "/console/invoke/{name}", bodyLimit: 6 << 20) { await self.invoke($0) }
            ),
        ] + scheduleRoutes + traceRoutes + replayRoutes + queueRoutes + workerRoutes + dataRoutes
            + ConsoleLogin(access: access, policy: ConsoleRoutes.policy).routes
    }

    // MARK: Ways to answer

    func guarded(_ route: EndpointRoute) -> EndpointRoute {
        AdminGuard(access: access).guarded(route, .page, policy: ConsoleRoutes.policy) {
            .seeOther("/console/login")
        }
    }

    /// A page, in the frame that all have.
    func page(
        _ pattern: String,
        _ make: @escaping @Sendable (EndpointRequest) async throws -> Page
    ) -> EndpointRoute {
        guarded(
            EndpointRoute("GET", pattern) { request in
                await self.shown(request) {
                    .html(try await make(request).document(self.frame(request)))
                }
            }
        )
    }

    /// The parts of a page as they change.
    func live(
        _ pattern: String,
        _ parts: @escaping @Sendable (EndpointRequest) async throws -> [Part]
    ) -> EndpointRoute {
        guarded(
            EndpointRoute("GET", pattern) { request in
                ConsoleLive(loop: self.host.loop, book: self.host.telemetry.activity) {
                    try await parts(request) + self.frame(request).parts
                }.response()
            }
        )
    }

    /// A form, which leads to another page when its work is done.
    func form(
        _ pattern: String,
        _ act: @escaping @Sendable (EndpointRequest) async throws -> String
    ) -> EndpointRoute {
        guarded(
            EndpointRoute("POST", pattern) { request in
                await self.shown(request) { .seeOther(try await act(request)) }
            }
        )
    }

    /// What `body` answers, or what went wrong as a page.
    func shown(
        _ request: EndpointRequest,
        _ body: () async throws -> EndpointResponse
    ) async -> EndpointResponse {
        var error: FunctionError
        do {
            return try await body()
        } catch let thrown as FunctionError {
            error = thrown
        } catch let thrown as StorageError {
            error = thrown.functionError
        } catch let thrown {
            error = FunctionError(status: 503, code: "not_now", message: "\(thrown)")
        }
        let title = error.status == 404 ? "Not there" : "That did not work"
        let page = Page.failure(title, error.message, back: Page.Place.overview.address)
        return .html(page.document(frame(request)), status: error.status)
    }

}

extension EndpointResponse {
    static func html(_ text: String, status: Int = 200) -> EndpointResponse {
        let headers = [
            Header("content-type", "text/html; charset=utf-8"), Header("cache-control", "no-store"),
        ]
        return EndpointResponse(status: status, headers: headers, body: .bytes(Bytes(text)))
    }

    /// Another page, by GET.
    static func seeOther(_ path: String) -> EndpointResponse {
        EndpointResponse(
            status: 303,
            headers: [Header("location", path), Header("cache-control", "no-store")]
        )
    }
}

extension EndpointRequest {
    /// The fields of a form in the body.
    var fields: [String: String] { HTTPRequest(method: "GET", target: "/?" + body.text).query }
}
