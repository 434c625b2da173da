import ArgumentParser
import Fetch
import FunctionCore
import Glibc
import HostKit
import HTTPTrigger
import Storage

/// Where a running host is, for the commands that talk to one.
struct HostAddress: ParsableArguments {
    @Option(
        help: "The running host's data directory, in which host.json says where it is. Default: .swiftlet."
    )
    var data: String?
    @Option(help: "The admin URL, instead of host.json.")
    var admin: String?

    var directory: String { data ?? ".swiftlet" }

    /// The names of the running host's functions; nil where none runs.
    func functions() -> [String]? {
        guard admin != nil || access("\(directory)/host.json", F_OK) == 0 else { return nil }
        let request = OutboundRequest(
            method: "GET",
            url: "\(urls().admin)/v1/functions",
            headers: HostClient.authorization,
            timeout: .seconds(10)
        )
        // A host that was killed leaves its address behind.
        guard let (head, body) = try? BlockingFetch.send(request), head.status == 200 else { return nil }
        let list = (try? JSON.parse(body))?["functions"]?.arrayValue ?? []
        return list.compactMap { $0["name"]?.stringValue }
    }

    /// The host's admin and gateway URLs.
    func urls() -> (admin: String, gateway: String) {
        if let admin { return (admin, "") }
        guard let text = readText("\(directory)/host.json"), let note = try? JSON.parse(Bytes(text)),
            let admin = note["admin"]?.stringValue, let gateway = note["gateway"]?.stringValue
        else {
            let remedy = "start one with `swiftlet dev`, or name its directory with --data"
            leave(69, "no host is running in \(directory); \(remedy)")
        }
        return (admin, gateway)
    }
}

/// A request to a running host; every failure ends the command with a sentence.
struct HostClient {
    let base: String
    /// What goes with every request.
    var headers = HostClient.authorization

    struct Answer {
        var status: Int
        var headers: [Header]
        var body: Bytes
        var json: JSON { (try? JSON.parse(body)) ?? .null }
    }

    func send(
        _ method: String,
        _ path: String,
        body: JSON? = nil,
        headers: [Header] = [],
        timeout: Duration = .seconds(330)
    ) -> Answer {
        send(
            method,
            path,
            bytes: body?.bytes() ?? Bytes(),
            headers: body == nil ? headers : headers + [.json],
            timeout: timeout
        )
    }

    func send(
        _ method: String,
        _ path: String,
        bytes: Bytes,
        headers: [Header] = [],
        timeout: Duration = .seconds(330)
    ) -> Answer {
        let url = path.hasPrefix("http") ? path : base + path
        let request = OutboundRequest(
            method: method,
            url: url,
            headers: path.hasPrefix("http") ? headers : self.headers + headers,
            body: bytes,
            timeout: timeout,
            responseLimit: 256 << 20
        )
        do {
            let (head, body) = try BlockingFetch.send(request)
            return Answer(status: head.status, headers: head.headers, body: body)
        } catch {
            leave(69, "\(base) does not answer (\(error)); is the host still running?")
        }
    }

    /// What a host with an admin.token wants to see: the token, from the environment or from `.env`.
    static var authorization: [Header] {
        let file = parseDotEnv(readText(".env") ?? "")["SWIFTLET_ADMIN_TOKEN"]
        guard let token = processEnvironment()["SWIFTLET_ADMIN_TOKEN"] ?? file, !token.isEmpty else {
            return []
        }
        return [Header("authorization", "Bearer \(token)")]
    }

    /// The JSON of a request that must succeed; else its error is printed and the command ends with 1.
    func value(_ method: String, _ path: String, body: JSON? = nil) -> JSON {
        let answer = send(method, path, body: body)
        guard answer.status < 400 else {
            let error = answer.json["error"]
            let code = error?["code"]?.stringValue ?? "status_\(answer.status)"
            leave(1, "\(code): \(error?["message"]?.stringValue ?? answer.body.text)")
        }
        return answer.json
    }
}

/// `--json`.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON, one object a line.") var json = false
}

/// Writes bytes to standard output.
func writeOut(_ bytes: Bytes) {
    bytes.array.withUnsafeBytes { buffer in
        var rest = buffer[...]
        while !rest.isEmpty {
            let count = write(1, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// Percent-encodes what has a meaning of its own in a path or a query.
func encoded(_ text: String) -> String {
    text.utf8.map { byte in
        let plain =
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
            || "-._~".utf8.contains(byte)
        let digits = String(byte, radix: 16, uppercase: true)
        return plain ? String(UnicodeScalar(byte)) : "%" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
}

/// The exit code that an error of a start deserves.
func exitCode(of error: any Error) -> Int32 {
    switch error {
    case is ServerError: 75
    case is StorageError: 73
    case let error as EmbeddedRedisError: error.code == .directory ? 73 : 69
    default: 70
    }
}
