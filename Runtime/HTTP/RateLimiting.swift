import FunctionCore
import Invocations
import NIOCore

/// Keeps the buckets of rate limits.
package protocol RateLimiting: Sendable {
    /// Takes a token for each claim, or none at all.
    ///
    /// The verdict is returned, or, where it takes time, nil is, and `later` is called with it on `loop`, once.
    func admit(
        _ claims: [RateClaim],
        of function: String,
        on loop: any EventLoop,
        later: @escaping @Sendable (RateVerdict) -> Void
    ) -> RateVerdict?
}

/// A route's rate limits, ready to be asked for.
struct RouteRates: Sendable {
    let limits: [Manifest.RateLimit]
    /// What tells each limit apart from the others of its function.
    let names: [String]
    /// The field `RateLimit-Policy`, which is always the same.
    let policy: String
    private let function: String

    /// Nil for a function without limits, which then cost nothing.
    init?(_ manifest: Manifest) {
        guard !manifest.rateLimits.isEmpty else { return nil }
        limits = manifest.rateLimits
        function = manifest.name
        var names: [String] = []
        for limit in limits {
            let label = limit.per.label
            let twins = names.count { $0 == label || $0.hasPrefix("\(label)-") }
            names.append(twins == 0 ? label : "\(label)-\(twins + 1)")
        }
        self.names = names
        policy = zip(names, limits).map { name, limit in
            "\"\(name)\";q=\(limit.burst);w=\(RouteRates.seconds(limit.rule.capacity))"
        }.joined(separator: ", ")
    }

    /// The claims of a request.
    ///
    /// Buckets go by a hash: a key is a secret, a name somebody's own, and both may be long.
    func claims(
        principal: String?,
        address: String,
        headers: [Header],
        hash: (Bytes) -> String
    ) -> [RateClaim] {
        zip(names, limits).map { name, limit in
            let who =
                switch limit.per {
                case .function: ""
                case .user: principal ?? ""
                case .address: RouteRates.network(of: address)
                case .key(let header): headers.first(header) ?? ""
                }
            let tail = who.isEmpty ? "" : ":\(hash(Bytes(who)).prefix(32))"
            return RateClaim(bucket: "\(function):\(name)\(tail)", rule: limit.rule)
        }
    }

    /// The field `RateLimit`: what is left of each limit, and after how many seconds all of it is there.
    func standing(_ verdict: RateVerdict) -> String {
        zip(names, verdict.standings).map { name, standing in
            "\"\(name)\";r=\(standing.remaining);t=\(RouteRates.seconds(standing.fullAfter))"
        }.joined(separator: ", ")
    }

    /// The answer to a request that was refused for limit `index`.
    func error(_ index: Int, _ verdict: RateVerdict) -> FunctionError {
        let limit = limits[index]
        let wait = Duration.microseconds(verdict.standings[index].retryAfter)
        let rate = "\(limit.count) requests in \(limit.window), \(limit.burst) at once"
        let whose =
            switch limit.per {
            case .function: "of all callers"
            case .user: "of one user"
            case .address: "of one address"
            case .key(let header): "of one \(header)"
            }
        return FunctionError(
            status: 429,
            code: "rate_limited",
            message:
                "\(function) takes \(rate), \(whose); try again in \(RouteRates.seconds(wait.nanoseconds / 1000)) s",
            retry: .after(wait)
        )
    }

    /// Microseconds as whole seconds, the next that is not too early.
    private static func seconds(_ microseconds: Int64) -> Int64 { (microseconds + 999_999) / 1_000_000 }

    /// The part of an address that one client cannot change at will: all of IPv4, of IPv6 the first 64 bits.
    static func network(of address: String) -> String {
        guard address.contains(":") else { return address }
        let scope = address.prefix { $0 != "%" }
        let halves = String(scope).split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
        let head = halves[0].split(separator: ":").map(String.init)
        var groups = head
        if halves.count == 2 {
            let tail = halves[1].split(separator: ":").map(String.init)
            // A mapped IPv4 address is one of IPv4.
            if head.isEmpty, let last = tail.last, last.contains(".") { return last }
            groups += Array(repeating: "0", count: max(0, 8 - head.count - tail.count)) + tail
        }
        return groups.prefix(4).map { $0.lowercased() }.joined(separator: ":")
    }
}
