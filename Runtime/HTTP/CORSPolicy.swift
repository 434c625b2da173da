import FunctionCore
import Invocations

/// A manifest's `cors:`, ready to be applied (Fetch standard, 3.2).
///
/// The gateway alone speaks of it: what a function says in `Access-Control-*` fields is left out where its
/// manifest has a policy, as two answers to one question make a browser refuse both.
package final class CORSPolicy: Sendable {
    private enum Origin: Sendable {
        case any
        case exactly(String)
        /// Every name below a host: what stands before and after it.
        case below(scheme: String, host: String)
    }

    private let origins: [Origin]
    private let credentials: Bool
    private let methods: String
    private let headers: String
    private let exposed: String
    private let maxAge: String

    package init(_ cors: Manifest.CORS, routes: [Manifest.Route]) {
        origins = cors.origins.map { text in
            if text == "*" { return .any }
            guard let mark = text.firstRange(of: "://*.") else { return .exactly(text) }
            // The dot stays, so that `evilexample.com` is not taken for a name below `example.com`.
            let host = text[text.index(before: mark.upperBound)...]
            return .below(scheme: String(text[..<mark.lowerBound]) + "://", host: String(host))
        }
        let own = Set(routes.map(\.method))
        methods = (cors.methods.isEmpty ? own.sorted() : cors.methods).joined(separator: ", ")
        headers = cors.headers.joined(separator: ", ")
        exposed = cors.exposed.joined(separator: ", ")
        credentials = cors.credentials
        maxAge = String(cors.maxAge.components.seconds)
    }

    /// The value of `Access-Control-Allow-Origin` for a page of `origin`; nil where it may not read.
    private func allowed(_ origin: String) -> String? {
        for rule in origins {
            switch rule {
            case .any: return "*"
            case .exactly(let text): if text == origin { return origin }
            case .below(let scheme, let host):
                let length = origin.utf8.count - scheme.utf8.count - host.utf8.count
                if length > 0, origin.hasPrefix(scheme), origin.hasSuffix(host) { return origin }
            }
        }
        return nil
    }

    /// Whether the answer is the same for every origin, so that caches need not tell them apart.
    private var isUniform: Bool {
        origins.contains { if case .any = $0 { true } else { false } }
    }

    /// The fields of an answer to a request with that `Origin`, or with none.
    package func fields(for origin: String?) -> [Header] {
        var fields: [Header] = []
        if !isUniform { fields.append(Header("vary", "Origin")) }
        // With no rule but `*` the fields go out unasked, so that what a cache kept of a request without
        // an origin serves a page as well.
        guard let value = isUniform ? "*" : origin.flatMap(allowed) else { return fields }
        fields.append(Header("access-control-allow-origin", value))
        if credentials { fields.append(Header("access-control-allow-credentials", "true")) }
        if !exposed.isEmpty { fields.append(Header("access-control-expose-headers", exposed)) }
        return fields
    }

    /// The fields of the answer to a preflight.
    package func preflight(for origin: String) -> [Header] {
        let vary = Header("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
        guard let value = allowed(origin) else { return [vary] }
        var fields = [
            vary, Header("access-control-allow-origin", value),
            Header("access-control-allow-methods", methods), Header("access-control-max-age", maxAge),
        ]
        if !headers.isEmpty { fields.append(Header("access-control-allow-headers", headers)) }
        if credentials { fields.append(Header("access-control-allow-credentials", "true")) }
        return fields
    }

    /// Whether a field of a function's reply is the gateway's to state.
    package static func owns(_ name: String) -> Bool {
        name.utf8.count > 15 && String(name.prefix(15)).isHeader("access-control-")
    }
}
