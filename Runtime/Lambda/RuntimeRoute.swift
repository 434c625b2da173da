import NIOHTTP1

/// What a request to the Runtime API asks for.
enum RuntimeRoute: Equatable {
    case next
    case response(String)
    case error(String)
    case initError
    case ping
    case unknown
    case wrongMethod

    private static let version = "2018-06-01"

    init(_ method: HTTPMethod, _ uri: String) {
        let path = uri.prefix { $0 != "?" }
        let parts = path.split(separator: "/").map(String.init)
        guard parts.first == RuntimeRoute.version else {
            self = .unknown
            return
        }
        let (wanted, route): (HTTPMethod, RuntimeRoute)
        switch Array(parts.dropFirst()) {
        case ["ping"]: (wanted, route) = (.GET, .ping)
        case ["runtime", "invocation", "next"]: (wanted, route) = (.GET, .next)
        case ["runtime", "init", "error"]: (wanted, route) = (.POST, .initError)
        case let rest where rest.count == 4 && rest[..<2] == ["runtime", "invocation"]:
            switch rest[3] {
            case "response": (wanted, route) = (.POST, .response(rest[2]))
            case "error": (wanted, route) = (.POST, .error(rest[2]))
            default: (wanted, route) = (method, .unknown)
            }
        default: (wanted, route) = (method, .unknown)
        }
        self = method == wanted ? route : .wrongMethod
    }
}
