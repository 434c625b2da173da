import FunctionCore
import Processes

/// Scripts in Python that judge Swiftlet from outside, with packages from PyPI.
package enum Python {
    /// Runs a script of `Tests/EndToEnd` to its end.
    ///
    /// `requirements` names the file, there too, with the pinned packages; they are installed once for all
    /// scripts of that file, for which `timeout` must leave room.
    package static func run(
        _ script: String,
        requirements: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        timeout: Duration = .seconds(500)
    ) async throws -> Ran {
        let folder = "\(Installed.project)/Tests/EndToEnd"
        var spec = ChildSpec(
            "/usr/bin/python3",
            ["\(folder)/in_venv.py", "\(folder)/\(requirements)", "\(folder)/\(script)"] + arguments,
            directory: Installed.project
        )
        spec.environment.merge(environment) { _, given in given }
        let ran = try await ChildProcess.run(spec, timeout: timeout)
        guard case .exited(let code) = ran.status else {
            throw DevHost.Failure("\(script) ended by \(ran.status): \(ran.output.text)\(ran.errors.text)")
        }
        return Ran(code: code, output: ran.output.text, errors: ran.errors.text)
    }
}
