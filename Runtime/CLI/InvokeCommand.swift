import ArgumentParser
import FunctionCore
import Glibc
import HostKit

/// `swiftlet invoke`.
struct Invoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Invokes a function of the running host with a plain event, and prints its reply.",
        discussion: """
            A windowed function runs under its window's token where the window is open, and is refused where \
            it is not. Exit code 1 where the function failed. With --async a job is accepted and its id \
            printed.
            """
    )

    @Argument(help: "The function's name.") var name: String
    @Option(help: "The event, a JSON file; `-` for standard input. Default: {}.") var event: String?
    @Option(help: "The operation, where the function has several.") var operation: String?
    @Flag(name: .customLong("async"), help: "Accept a job instead of waiting.") var asJob = false
    @Option(help: "With --async: not before that time has passed, such as 30s.") var delay: String?
    @Option(help: "With --async: 0 to 9, the higher first.") var priority: Int?
    @Option(help: "With --async: the key whose jobs belong together.") var key: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var address: HostAddress

    func run() throws {
        let client = HostClient(base: address.urls().admin)
        var path = "/v1/functions/\(encoded(name))/invocations?operation=\(encoded(operation ?? ""))"
        if asJob { path += "&async=1" }
        for (name, value) in [("delay", delay), ("priority", priority.map { "\($0)" }), ("key", key)] {
            guard let value else { continue }
            guard asJob else { leave(64, "--\(name) goes with --async") }
            path += "&\(name)=\(encoded(value))"
        }
        let answer = client.send("POST", path, bytes: readEvent(), headers: [.json])
        guard answer.status < 400 else {
            writeOut(Bytes(answer.body.text + "\n"))
            throw ExitCode(1)
        }
        if asJob, !output.json {
            print(answer.json["job"]?.stringValue ?? "")
        } else {
            writeOut(Bytes(answer.body.text + "\n"))
        }
    }

    private func readEvent() -> Bytes {
        guard let event else { return "{}" }
        guard let bytes = readFile(event == "-" ? "/dev/stdin" : event) else {
            leave(64, "\(event) cannot be read")
        }
        return Bytes(bytes)
    }
}
