import FunctionCore
import Glibc
import Processes
import TestSupport

/// A project whose functions are run by foreign runtimes: `awslambdaric` from PyPI, in an environment made once.
enum LambdaProject {
    private static let folder = "\(Installed.project)/Tests/EndToEnd/Lambda"

    /// The environment's Python.
    private static func python() async throws -> String {
        let ran = try await Python.run("Lambda/which.py", requirements: "Lambda/awslambdaric.txt")
        guard ran.code == 0 else { throw DevHost.Failure("no Python environment: \(ran.all)") }
        return ran.output.filter { $0 != "\n" }
    }

    /// Writes the function `own`, whose runtime is written by hand, and says how a host is started with it.
    static func ownRuntime(_ manifest: String, in directory: String) throws -> DevHost.Options {
        var options = FixtureProject.options(in: directory)
        mkdir("\(directory)/Functions/own", 0o700)
        let script = "\(folder)/runtime.py"
        let command = "runtime: lambda\ncommand: [python3, \(script)]"
        FixtureProject.write("own", "\(command)\n\(manifest)", in: directory)
        options.environment = ["SWIFTLET_WORKERS_USERS": "off"]
        return options
    }

    /// Writes functions of the bundle `fixtures` as a runtime of Lambda, and says how a host is started with them.
    static func ownBundle(_ functions: [String: String], in directory: String) throws -> DevHost.Options {
        var options = FixtureProject.options(in: directory)
        for (name, manifest) in functions {
            mkdir("\(directory)/Functions/\(name)", 0o700)
            let command = "runtime: lambda\ncommand: [\(Installed.directory)/fixtures]"
            FixtureProject.write(name, "\(command)\n\(manifest)", in: directory)
        }
        options.environment = ["SWIFTLET_WORKERS_USERS": "off"]
        return options
    }

    /// Writes functions of Python, by their names, and says how a host is started with them.
    static func options(_ functions: [String: String], in directory: String) async throws -> DevHost.Options {
        let python = try await python()
        var options = FixtureProject.options(in: directory)
        for (name, manifest) in functions {
            let home = "\(directory)/Functions/\(name)"
            mkdir(home, 0o700)
            Text.write((Text.read("\(folder)/app.py") ?? "").utf8, to: "\(home)/app.py")
            let line = manifest.split(separator: "\n").first { $0.hasPrefix("handler: ") }
            let handler = line?.dropFirst("handler: ".count) ?? "app.handler"
            let command = "runtime: lambda\ncommand: [\(python), -m, awslambdaric, \(handler)]"
            FixtureProject.write(name, "\(command)\n\(manifest)", in: directory)
        }
        // Python and the folders are the user's own, who runs the tests.
        options.environment = ["SWIFTLET_WORKERS_USERS": "off"]
        return options
    }
}
