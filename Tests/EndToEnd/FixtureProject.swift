import Glibc
import TestSupport

/// A project around the bundle `fixtures`: well- and ill-behaved functions with small limits.
struct FixtureProject {
    private static let manifests = [
        "echo": """
        triggers:
          http: [{method: POST, path: /echo}, {method: PUT, path: /echo}]
          redis: [{stream: orders}]
        limits: {payload: 1KiB}
        """,
        "stream": """
        triggers: {http: [{method: POST, path: /stream}]}
        """,
        "ticker": """
        triggers: {http: [{method: GET, path: /ticker}]}
        """,
        "socket": """
        triggers:
          http: [{method: POST, path: /push}]
          websocket:
            - {path: "/socket/{room}", subprotocols: [chat.v2, chat], origins: ["https://app.example"], maxRate: 10000}
            - {path: /socket-idle, idle: 1s}
        limits: {perWorker: 8, timeout: 30s}
        scale: {max: 4, idle: 1s, window: 1s, stabilization: 1s, target: {connections: 10}}
        bindings: [connections]
        """,
        "crash": """
        triggers: {http: [{method: POST, path: /crash}]}
        """,
        "hang": """
        triggers: {http: [{method: POST, path: /hang}]}
        limits: {timeout: 300ms, grace: 100ms}
        """,
        "slow": """
        triggers: {http: [{method: POST, path: /slow}]}
        limits: {maxInFlight: 1, queue: 1, timeout: 10s}
        scale: {max: 1}
        """,
        "print": """
        triggers: {http: [{method: POST, path: /print}]}
        """,
        "failing": """
        triggers: {http: [{method: POST, path: /failing}]}
        """,
        "leave": """
        triggers: {redis: [{stream: failures}]}
        retry: {attempts: 3, backoff: 20ms, ceiling: 40ms}
        """,
        "doze": """
        limits: {memory: 64MiB}
        scale: {max: 16}
        """,
        "cloud": """
        triggers: {http: [{method: POST, path: /cloud}]}
        """,
        "order": """
        triggers: {http: [{method: POST, path: /order}]}
        """,
        "call": """
        triggers: {http: [{method: POST, path: /call}]}
        bindings: []
        """,
    ]

    /// The functions of the bundle, as its source lists them; each needs a manifest.
    private static let names: [String] = {
        let source = Text.read("\(Installed.project)/Tests/Fixtures/main.swift") ?? ""
        return source.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "\"")
            return line.contains("FunctionEntry(") && parts.count > 1 ? String(parts[1]) : nil
        }
    }()

    /// Writes the project below a directory, and says how a host is started with it.
    static func options(in directory: String) -> DevHost.Options {
        var options = DevHost.Options()
        let functions = "\(directory)/Functions"
        for path in [functions, "\(directory)/schedules"] { mkdir(path, 0o700) }
        for name in names {
            mkdir("\(functions)/\(name)", 0o700)
            write(name, manifests[name] ?? "", in: directory)
        }
        options.functions = functions
        options.schedules = "\(directory)/schedules"
        options.bundle = "\(Installed.directory)/fixtures"
        return options
    }

    /// Writes one function's manifest.
    static func write(_ name: String, _ text: String, in directory: String) {
        let whole = "name: \(name)\nsummary: A fixture.\n\(text)\n"
        Text.write(whole.utf8, to: "\(directory)/Functions/\(name)/function.yaml")
    }

    /// Copies the bundle into the project, with some bytes behind it that change its hash and nothing else.
    static func copyBundle(_ mark: String, in directory: String) {
        let content = (Text.bytes("\(Installed.directory)/fixtures") ?? []) + Array(mark.utf8)
        Text.write(content, to: "\(directory)/bundle.new")
        chmod("\(directory)/bundle.new", 0o700)
        rename("\(directory)/bundle.new", "\(directory)/bundle")
    }
}

extension HostTrait {
    /// The place of the fixture project, for as long as the tests run.
    private static let place = Result { try TemporaryPlace() }

    /// A host of the fixture project.
    static let fixtures = HostTrait { FixtureProject.options(in: try place.get().path) }
}
