import ArgumentParser
import FunctionCore
import HostKit
import Invocations
import Scaling
import Settings

/// `swiftlet scale-replay`.
struct ScaleReplay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale-replay",
        abstract: "Replays a recorded trace against a function's scale policy.",
        discussion: """
            The trace is CSV: `time` in seconds, and any of workers, inFlight, queueDepth, connections, \
            requestRate, cpu. A running host gives the last two minutes of a function that has a target: \
            GET /v1/functions/NAME/trace on the admin port. Printed is the trace with the wanted workers, \
            and why.
            """
    )

    @Argument(help: "A function.yaml with a target under `scale:`.") var manifest: String
    @Argument(help: "The trace.") var trace: String

    func run() throws {
        guard let text = readText(manifest) else { leave(78, "\(manifest) cannot be read") }
        let problems = Problems()
        let read = ManifestReader.read(text, file: manifest, problems: problems)
        guard problems.isEmpty, let scale = read?.manifest.scale else {
            leave(78, ConfigurationError(problems.all).description)
        }
        guard !scale.target.isEmpty else { leave(78, "\(manifest): there is no target under `scale:`") }
        guard let recorded = readText(trace) else { leave(78, "\(trace) cannot be read") }
        do throws(ScaleTrace.Fault) {
            let trace = try ScaleTrace(recorded)
            print(trace.text(trace.replay(scale)), terminator: "")
        } catch {
            leave(78, "\(trace): \(error)")
        }
    }
}
