import ArgumentParser
import FunctionCore
import Glibc

/// `swiftlet reload`: has a running host read its bundle and files anew.
struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Has the running host put the bundle, the manifests and the schedules as they are now in force.",
        discussion: """
            Requests go on meanwhile: new workers are ready before the old ones leave. If anything is wrong \
            the host goes on with what it has, the faults are printed, and the command ends with 1.
            """
    )

    @OptionGroup var host: HostAddress
    @OptionGroup var output: OutputOptions

    func run() {
        let answer = HostClient(base: host.urls().admin).send("POST", "/v1/reload")
        if output.json { writeOut(Bytes(answer.body.text + "\n")) }
        guard answer.status == 200 else {
            let error = answer.json["error"]
            for problem in error?["problems"]?.arrayValue ?? [] {
                let line = problem["line"]?.intValue.map { ":\($0)" } ?? ""
                let place = (problem["file"]?.stringValue ?? "") + line
                let hint = problem["hint"]?.stringValue ?? ""
                writeError("\(place): \(problem["message"]?.stringValue ?? "") (\(hint))")
            }
            leave(1, error?["message"]?.stringValue ?? answer.body.text)
        }
        guard !output.json else { return }
        func names(_ key: String) -> [String] {
            (answer.json[key]?.arrayValue ?? []).compactMap(\.stringValue)
        }
        var parts: [String] = []
        for key in ["changed", "added", "removed"] where !names(key).isEmpty {
            parts.append("\(key) \(names(key).joined(separator: ", "))")
        }
        if answer.json["schedules"]?.boolValue == true { parts.append("other schedules") }
        let generation = answer.json["generation"]?.intValue ?? 0
        let text = parts.isEmpty ? "nothing has changed" : parts.joined(separator: "; ")
        writeOut(Bytes("generation \(generation): \(text)\n"))
    }
}
