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
        "call": """
        triggers: {http: [{method: POST, path: /call}]}
        bindings: []
        """,
    ]

    /// The functions of the bundle that no test here calls; each needs a manifest all the same.
    private static let idle = [
        "echo-async", "typed", "busy", "garbage", "close", "big", "start-crash", "limits",
    ]

    /// Writes the project below a directory, and says how a host is started with it.
    static func options(in directory: String) -> DevHost.Options {
        var options = DevHost.Options()
        let functions = "\(directory)/Functions"
        for path in [functions, "\(directory)/schedules"] { mkdir(path, 0o700) }
        for name in manifests.keys.sorted() + idle {
            mkdir("\(functions)/\(name)", 0o700)
            let text = "name: \(name)\nsummary: A fixture.\n\(manifests[name] ?? "")\n"
            Text.write(text.utf8, to: "\(functions)/\(name)/function.yaml")
        }
        options.functions = functions
        options.schedules = "\(directory)/schedules"
        options.bundle = "\(Installed.directory)/fixtures"
        return options
    }
}

extension HostTrait {
    /// The place of the fixture project, for as long as the tests run.
    private static let place = Result { try TemporaryPlace() }

    /// A host of the fixture project.
    static let fixtures = HostTrait { FixtureProject.options(in: try place.get().path) }
}
