import Console
import FunctionCore
import HTTPTrigger

/// How a browser comes to a session, and what is shown before there is one.
struct ConsoleLogin {
    let access: AdminAccess
    let policy: String

    var routes: [EndpointRoute] {
        let open = [
            EndpointRoute("GET", "/console/login") { _ in
                access.token.isEmpty ? .seeOther("/console") : .html(Page.login(isWrong: false))
            },
            EndpointRoute("POST", "/console/login", bodyLimit: 4096) { self.begin($0) },
            EndpointRoute("POST", "/console/logout", bodyLimit: 4096) { request in
                var response = EndpointResponse.seeOther("/console/login")
                response.headers.append(cookie("", age: 0, for: request))
                return response
            },
            EndpointRoute("GET", "/console/assets/{name}") { asset($0.parameters["name"] ?? "") },
        ]
        let doors = AdminGuard(access: access)
        return open.map { doors.guarded($0, .open, policy: policy) }
    }

    private func begin(_ request: EndpointRequest) -> EndpointResponse {
        guard access.isToken(request.fields["token"] ?? "") else {
            return .html(Page.login(isWrong: true), status: 403)
        }
        var response = EndpointResponse.seeOther("/console")
        response.headers.append(cookie(access.session, age: 12 * 3600, for: request))
        return response
    }

    /// For the console's own paths: cookies do not tell ports apart, and the gateway's functions are to see as
    /// little of it as can be.
    private func cookie(_ value: String, age: Int, for request: EndpointRequest) -> Header {
        let name = AdminAccess.cookie(request.headers.first("host") ?? "")
        let attributes = "Path=/console; Max-Age=\(age); HttpOnly; SameSite=Strict"
        return Header("set-cookie", "\(name)=\(value); \(attributes)")
    }

    private func asset(_ name: String) -> EndpointResponse {
        guard let asset = Asset.all.first(where: { $0.name == name }) else {
            return .failure(.notFound("there is no such file"))
        }
        return EndpointResponse(
            headers: [
                Header("content-type", asset.contentType),
                Header("cache-control", "public, max-age=31536000, immutable"),
            ],
            body: .bytes(Bytes(asset.text))
        )
    }
}
