import FunctionCore
import Invocations

/// Reads a `function.yaml`.
///
/// The schedules that it may hold are read by the scheduler's reader from the same node.
package struct ManifestReader {
    /// A manifest and the node of its `triggers.schedule`, if it has one.
    package struct Result {
        package var manifest: Manifest
        package var schedules: [SettingsNode]
    }

    /// The bindings that a manifest may grant.
    package static let bindings = [
        "text", "images", "speech", "render", "users", "documents", "blobs", "state", "market-data", "broker",
        "fetch", "connections",
        "emit", "progress", "invoke",
    ]

    private static let keys = [
        "name", "summary", "triggers", "limits", "permissions", "onDisconnect", "scale", "resources",
        "bindings", "environment", "retry", "jobs", "onSuccess", "onFailure", "idempotent", "idempotency",
        "rateLimits", "cors", "static", "batch", "credits", "runtime", "command", "handler", "schemas",
        "webhookOrigins",
    ]

    /// Reads a file's text; nil where not even a name could be found.
    ///
    /// All faults go to `problems`.
    package static func read(_ text: String, file: String, problems: Problems) -> Result? {
        guard let root = SettingsNode.parse(text, file: file, problems: problems) else { return nil }
        let members = root.members(keys)
        let named = (members["name"] ?? root.missing("name", "my-function")).flatMap(readName)
        // A file without a good name is read to its end all the same, so that its other faults are told as
        // well.
        let name = named ?? "unnamed"
        var manifest = Manifest(name: name)
        manifest.file = file
        manifest.summary = members["summary"]?.string() ?? ""
        var schedules: [SettingsNode] = []
        if let triggers = members["triggers"], !triggers.isNull {
            let kinds = triggers.members(["http", "websocket", "redis", "schedule"])
            manifest.routes = kinds["http"]?.list.compactMap(readRoute) ?? []
            manifest.webSockets = kinds["websocket"]?.list.compactMap(readWebSocket) ?? []
            for node in kinds["redis"]?.list ?? [] { RedisTriggerReader.read(node, into: &manifest) }
            schedules = kinds["schedule"]?.list ?? []
        }
        if let node = members["limits"] { readLimits(node, &manifest.limits) }
        let words = Manifest.OnDisconnect.allCases.map(\.rawValue)
        if let word = members["onDisconnect"]?.word(words).flatMap({ Manifest.OnDisconnect(rawValue: $0) }) {
            manifest.onDisconnect = word
        }
        if let node = members["permissions"] {
            let permissions = node.members(["network", "fork"])
            manifest.permissions.network = permissions["network"]?.flag() ?? false
            manifest.permissions.fork = permissions["fork"]?.flag() ?? false
        }
        if let node = members["scale"] { ScaleReader.read(node, &manifest.scale, of: manifest.limits) }
        if let node = members["resources"] { ScaleReader.read(node, &manifest.resources) }
        if let node = members["retry"] { readRetry(node, &manifest.retry) }
        if let batch = members["batch"]?.members(["max", "window"]) {
            manifest.batch = Manifest.Batch(
                max: batch["max"]?.integer(2...1000) ?? 32,
                window: batch["window"]?.duration(.zero ... .seconds(60)) ?? .milliseconds(5)
            )
        }
        readJobs(members, &manifest)
        manifest.rateLimits = members["rateLimits"]?.list.compactMap(readRate) ?? []
        manifest.grants = members["bindings"]?.list.compactMap(readGrant) ?? []
        for (key, value) in members["environment"]?.entries ?? [] {
            manifest.environment[key] = value.string()
        }
        manifest.idempotent = members["idempotent"]?.flag() ?? false
        manifest.idempotencyKeys = members["idempotency"]?.flag() ?? false
        if let node = members["credits"] { readPrices(node, &manifest) }
        manifest.cors = members["cors"].flatMap(readCORS)
        manifest.webhookOrigins = members["webhookOrigins"]?.list.compactMap(readSender) ?? []
        manifest.folders = members["static"]?.list.compactMap { readStatic($0, file: file) } ?? []
        readRuntime(members, root, &manifest)
        if let node = members["schemas"] { readContracts(node, &manifest) }
        if manifest.grants("broker"), let named, named != "trading" {
            members["bindings"]?.wrong(
                "`broker` is for the function trading alone",
                hint: "remove it from the list"
            )
        }
        return named == nil ? nil : Result(manifest: manifest, schedules: schedules)
    }

    private static func readName(_ node: SettingsNode) -> String? {
        guard let name = node.string() else { return nil }
        let allowed = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        guard allowed, let first = name.utf8.first, (97...122).contains(first), name.utf8.count <= 64 else {
            node.wrong(
                "`\(name)` is no function name",
                hint: "lower-case letters, digits and dashes, at most 64"
            )
            return nil
        }
        return name
    }

    private static func readRoute(_ node: SettingsNode) -> Manifest.Route? {
        let members = node.members(["method", "path", "operation", "mode"])
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        guard let method = (members["method"] ?? node.missing("method", "GET"))?.word(methods),
            let path = readPath(members["path"], node)
        else { return nil }
        return Manifest.Route(
            method: method,
            path: path,
            operation: members["operation"]?.string() ?? "",
            async: members["mode"]?.word(["sync", "async"]) == "async",
            line: node.line
        )
    }

    /// The path of an entry, whether HTTP requests or WebSocket connections come to it.
    static func readPath(_ member: SettingsNode?, _ node: SettingsNode) -> String? {
        guard let path = (member ?? node.missing("path", "/v1/things/{id}"))?.string() else { return nil }
        guard path.hasPrefix("/"), !path.contains("?"), !path.contains("//") else {
            node.wrong("`\(path)` is no path", hint: "begin with a slash; a query is not part of it")
            return nil
        }
        if path == "/_swiftlet" || path.hasPrefix("/_swiftlet/") || path.hasPrefix("/v1/jobs") {
            node.wrong(
                "`\(path)` is reserved for the host",
                hint: "choose a path outside /_swiftlet/ and /v1/jobs"
            )
            return nil
        }
        return path
    }

    private static func readLimits(_ node: SettingsNode, _ limits: inout Manifest.Limits) {
        let members = node.members([
            "timeout", "firstByte", "idle", "grace", "memory", "payload", "perWorker", "maxInFlight",
            "reserved",
            "queue", "queueWait", "openFiles", "cpu",
        ])
        let times = Duration.milliseconds(10)...Duration.seconds(24 * 3600)
        limits.timeout = members["timeout"]?.duration(times) ?? limits.timeout
        limits.firstByte = members["firstByte"]?.duration(times)
        limits.idle = members["idle"]?.duration(times)
        limits.grace = members["grace"]?.duration(.zero ... .seconds(300)) ?? limits.grace
        limits.memoryMiB = (members["memory"]?.size(32 << 20...64 << 30)).map { $0 >> 20 } ?? limits.memoryMiB
        limits.payload = members["payload"]?.size(0...16 << 20) ?? limits.payload
        limits.perWorker = members["perWorker"]?.integer(1...1000) ?? limits.perWorker
        limits.maxInFlight = members["maxInFlight"]?.integer(1...100_000) ?? limits.maxInFlight
        limits.reserved = members["reserved"]?.integer(0...100_000) ?? limits.reserved
        if limits.reserved > limits.maxInFlight {
            node.wrong(
                "`reserved` \(limits.reserved) is above `maxInFlight` \(limits.maxInFlight)",
                hint: "raise maxInFlight or lower reserved"
            )
        }
        limits.queueWait = members["queueWait"]?.duration(times)
        limits.queue = members["queue"]?.integer(0...100_000) ?? limits.queue
        let cpu = members["cpu"]?.duration(.seconds(1) ... .seconds(24 * 3600))
        limits.cpuSeconds = cpu.map { Int($0.components.seconds) } ?? limits.cpuSeconds
        limits.openFiles = members["openFiles"]?.integer(16...65_536) ?? limits.openFiles
    }

    private static func readRetry(_ node: SettingsNode, _ retry: inout Manifest.Retry) {
        let members = node.members(["attempts", "backoff", "ceiling", "recoveries"])
        retry.attempts = members["attempts"]?.integer(1...100) ?? retry.attempts
        retry.backoff = members["backoff"]?.duration(.milliseconds(1) ... .seconds(86_400)) ?? retry.backoff
        retry.ceiling =
            members["ceiling"]?.duration(.milliseconds(1) ... .seconds(7 * 86_400)) ?? retry.ceiling
        retry.recoveries = members["recoveries"]?.integer(0...1000) ?? retry.recoveries
    }

    private static func readGrant(_ node: SettingsNode) -> Manifest.Grant? {
        guard let name = node.string() else { return nil }
        guard bindings.contains(name) else {
            let near =
                nearest(name, bindings).map { "did you mean \($0)?" }
                ?? "one of \(bindings.joined(separator: ", "))"
            node.wrong("there is no binding `\(name)`", hint: near)
            return nil
        }
        return Manifest.Grant(binding: name, line: node.line)
    }
}

extension SettingsNode {
    /// Tells that a member is missing; always nil.
    package func missing(_ name: String, _ example: String) -> SettingsNode? {
        wrong("`\(name)` is missing", hint: "write \(name): \(example)")
        return nil
    }
}
