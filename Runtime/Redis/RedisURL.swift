/// Where a Redis server is: `redis://[user:password@]host[:port][/database]`, the same with `rediss://` for
/// TLS, or `unix://[user:password@]/path/to/socket[?db=n]`.
///
/// User and password may be percent-encoded.
package struct RedisURL: Sendable, Hashable, CustomStringConvertible {
    /// How the server is reached.
    package enum Address: Sendable, Hashable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    package var address: Address
    package var user: String?
    package var password: String?
    package var database: Int
    /// Whether the connection is encrypted, and the server has to prove who it is.
    package var isSecure: Bool

    package init(
        address: Address,
        user: String? = nil,
        password: String? = nil,
        database: Int = 0,
        isSecure: Bool = false
    ) {
        self.address = address
        self.isSecure = isSecure
        self.user = user
        self.password = password
        self.database = database
    }

    /// Reads a URL.
    ///
    /// - Throws: `RedisError` `redis_url`, whose message never holds the password.
    package init(_ text: String) throws(RedisError) {
        if let rest = RedisURL.rest(of: text, after: "unix://") {
            try self.init(unix: rest)
        } else if let rest = RedisURL.rest(of: text, after: "redis://") {
            try self.init(tcp: rest)
        } else if let rest = RedisURL.rest(of: text, after: "rediss://") {
            try self.init(tcp: rest)
            isSecure = true
        } else {
            throw RedisURL.bad(
                "it must begin with redis://, rediss:// or unix://, such as redis://127.0.0.1:6379/0"
            )
        }
    }

    private init(unix rest: Substring) throws(RedisError) {
        let (access, rest) = try RedisURL.access(rest, before: rest.firstIndex(of: "/"))
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = String(parts[0])
        guard path.hasPrefix("/") else {
            throw RedisURL.bad("a unix:// URL needs an absolute path, such as unix:///run/redis/redis.sock")
        }
        // sockaddr_un holds 108 bytes with the final zero.
        guard path.utf8.count < 108 else {
            throw RedisURL.bad("the socket's path has \(path.utf8.count) bytes; the system allows 107")
        }
        var database = 0
        if parts.count == 2 {
            guard parts[1].hasPrefix("db="), let number = Int(parts[1].dropFirst(3)), number >= 0 else {
                throw RedisURL.bad("the only option of a unix:// URL is ?db=<number>")
            }
            database = number
        }
        self.init(
            address: .unix(path: path),
            user: access.user,
            password: access.password,
            database: database
        )
    }

    private init(tcp rest: Substring) throws(RedisError) {
        let (access, rest) = try RedisURL.access(rest, before: nil)
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var database = 0
        if parts.count == 2, !parts[1].isEmpty {
            guard let number = Int(parts[1]), number >= 0 else {
                throw RedisURL.bad("after the last / stands a database's number, such as /0")
            }
            database = number
        }
        let (host, port) = try RedisURL.hostAndPort(parts[0])
        self.init(
            address: .tcp(host: host, port: port),
            user: access.user,
            password: access.password,
            database: database
        )
    }

    /// What stands before the last `@`, and what comes after it.
    private static func access(
        _ text: Substring,
        before end: Substring.Index?
    ) throws(RedisError) -> ((user: String?, password: String?), Substring) {
        guard let at = text[..<(end ?? text.endIndex)].lastIndex(of: "@") else { return ((nil, nil), text) }
        let parts = text[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = try decoded(parts[0], "user")
        let password = parts.count == 2 ? try decoded(parts[1], "password") : nil
        guard password?.isEmpty == false else {
            throw bad("before the @ it needs user:password, or :password alone")
        }
        return ((name.isEmpty ? nil : name, password), text[text.index(after: at)...])
    }

    private static func hostAndPort(_ text: Substring) throws(RedisError) -> (String, Int) {
        var host = text
        var port = 6379
        // The colons of an IPv6 address stand in brackets.
        let end = text.lastIndex(of: "]") ?? text.startIndex
        if let colon = text[end...].lastIndex(of: ":") {
            guard let number = Int(text[text.index(after: colon)...]), 1...65_535 ~= number else {
                throw bad("the port must be a number from 1 to 65535")
            }
            port = number
            host = text[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw bad("the host is missing, such as in redis://127.0.0.1:6379") }
        return (String(host), port)
    }

    private static func rest(of text: String, after scheme: String) -> Substring? {
        text.hasPrefix(scheme) ? text.dropFirst(scheme.count) : nil
    }

    private static func decoded(_ text: Substring, _ part: String) throws(RedisError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else { throw bad("the \(part) has a % that is not followed by two hexadecimal digits") }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func bad(_ reason: String) -> RedisError {
        RedisError(.badURL, "the Redis URL cannot be read: \(reason)")
    }

    /// The URL without its password.
    package var description: String {
        let access = password == nil ? "" : "\(user ?? ""):***@"
        switch address {
        case .tcp(let host, let port):
            let shown = host.contains(":") ? "[\(host)]" : host
            return "\(isSecure ? "rediss" : "redis")://\(access)\(shown):\(port)/\(database)"
        case .unix(let path):
            return "unix://\(access)\(path)" + (database == 0 ? "" : "?db=\(database)")
        }
    }
}
