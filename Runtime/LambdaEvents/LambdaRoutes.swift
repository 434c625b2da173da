import FunctionCore

/// What a function's manifest says of its triggers, for a bundle that has no host to read it.
///
/// It comes from `functions.json`, which `swiftlet routes --json` writes beside the bundle:
/// `{"functions": [{"name", "routes": [{"method", "path", "operation"}], "redis": [{"source", "operation"}]}]}`.
package struct LambdaRoutes: Sendable {
    /// What a request's route came to.
    package enum Match: Sendable, Hashable {
        case found(operation: String, parameters: [String: String])
        /// The path is known, with these methods.
        case otherMethods([String])
        case unknown
    }

    private enum Segment: Sendable {
        case literal(Substring)
        case parameter(String)
        case rest(String)

        /// A literal stands before a parameter, and both before the rest.
        var rank: Int {
            switch self {
            case .literal: 0
            case .parameter: 1
            case .rest: 2
            }
        }
    }

    private struct Route: Sendable {
        var method: String
        var operation: String
        var segments: [Segment]
    }

    private var routes: [Route] = []
    private var sources: [(name: String, operation: String)] = []

    /// The triggers of the function of that name; nil where the document is none, or does not have it.
    package init?(_ document: Bytes, of function: String) {
        guard let json = try? JSON.parse(document),
            let own = json["functions"]?.arrayValue?.first(where: { $0["name"]?.stringValue == function })
        else { return nil }
        for route in own["routes"]?.arrayValue ?? [] {
            guard let method = route["method"]?.stringValue, let path = route["path"]?.stringValue else {
                return nil
            }
            let operation = route["operation"]?.stringValue ?? ""
            routes.append(
                Route(method: method, operation: operation, segments: LambdaRoutes.segments(path[...]))
            )
        }
        for source in own["redis"]?.arrayValue ?? [] {
            guard let name = source["source"]?.stringValue else { return nil }
            sources.append((name, source["operation"]?.stringValue ?? ""))
        }
    }

    /// The operation for messages of a queue: that of the trigger of its name, or of the only one there is.
    package func operation(of queue: String) -> String {
        let named = sources.first { $0.name == queue }
        return (named ?? (sources.count == 1 ? sources[0] : nil))?.operation ?? ""
    }

    /// Finds a request's route by the rules of the gateway: a literal segment beats a parameter, and both beat
    /// the rest.
    package func match(_ method: String, _ path: String) -> Match {
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let fitting = routes.compactMap { route in
            LambdaRoutes.values(route.segments, path == "/" ? [] : parts).map { (route, $0) }
        }
        let best = fitting.filter { $0.0.method == method }.min { left, right in
            left.0.segments.map(\.rank).lexicographicallyPrecedes(right.0.segments.map(\.rank))
        }
        guard let (route, values) = best else {
            return fitting.isEmpty ? .unknown : .otherMethods(Set(fitting.map(\.0.method)).sorted())
        }
        return .found(operation: route.operation, parameters: values)
    }

    private static func segments(_ path: Substring) -> [Segment] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: path == "/").map { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return .literal(part) }
            let name = part.dropFirst().dropLast()
            return name.hasSuffix("*") ? .rest(String(name.dropLast())) : .parameter(String(name))
        }
    }

    /// The values of a pattern's names where it fits a path.
    private static func values(_ segments: [Segment], _ parts: [Substring]) -> [String: String]? {
        var values: [String: String] = [:]
        var rest = parts[...]
        for segment in segments {
            guard let part = rest.first else { return nil }
            switch segment {
            case .literal(let name):
                guard name == part else { return nil }
                rest.removeFirst()
            case .parameter(let name):
                guard !part.isEmpty else { return nil }
                values[name] = percentDecoded(part)
                rest.removeFirst()
            case .rest(let name):
                guard !part.isEmpty else { return nil }
                values[name] = percentDecoded(rest.joined(separator: "/"))
                rest = []
            }
        }
        return rest.isEmpty ? values : nil
    }
}
