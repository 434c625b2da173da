import ArgumentParser
import FunctionCore
import Glibc
import HostKit

/// `swiftlet invoke`.
struct Invoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Invokes a function of the running host, and prints its reply.",
        discussion: """
            A windowed function runs under its window's token where the window is open, and is refused where \
            it is not. Exit code 1 where the function failed. With --async a job is accepted and its id \
            printed. --sample sends an event as a trigger makes it, filled in from the manifest; --print shows it \
            instead, for a file that --event sends again.
            """
    )

    @Argument(help: "The function's name.") var name: String
    @Option(help: "The event, a JSON file; `-` for standard input. Default: {}.") var event: String?
    @Option(help: "An event of its first trigger of a kind: http, websocket, redis, schedule or plain.")
    var sample: String?
    @Flag(name: .customLong("print"), help: "With --sample: print the event and invoke nothing.")
    var printsSample = false
    @Option(help: "The operation, where the function has several.") var operation: String?
    @Flag(name: .customLong("async"), help: "Accept a job instead of waiting.") var asJob = false
    @Option(help: "With --async: not before that time has passed, such as 30s.") var delay: String?
    @Option(help: "With --async: 0 to 9, the higher first.") var priority: Int?
    @Option(help: "With --async: the key whose jobs belong together.") var key: String?
    @Flag(help: "Have the host keep it, so that it can be replayed.") var record = false
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
        let body = sample.map { Bytes(sampleEvent($0, client).text) } ?? readEvent()
        if printsSample { return print(body.text) }
        var headers = [Header("content-type", contentType(of: body))]
        if record { headers.append(Header("x-swiftlet-record", "1")) }
        let answer = client.send("POST", path, bytes: body, headers: headers)
        if record, let id = answer.headers.first("x-swiftlet-invocation") {
            writeError("recorded as \(id); run it again by `swiftlet replay \(id)`\n")
        }
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

    private func sampleEvent(_ kind: String, _ client: HostClient) -> JSON {
        if event != nil { leave(64, "--sample makes an event, and --event names one: give one of them") }
        let samples =
            client.value("GET", "/v1/functions/\(encoded(name))/samples")["samples"]?.arrayValue ?? []
        let found = samples.first { sample in
            sample["kind"]?.stringValue == kind
                && (operation == nil || sample["operation"]?.stringValue == operation)
        }
        guard let found else {
            let kinds = samples.compactMap { sample in
                let operation = sample["operation"]?.stringValue ?? ""
                return sample["kind"]?.stringValue.map { operation.isEmpty ? $0 : "\($0) (\(operation))" }
            }
            leave(64, "\(name) has no trigger that makes `\(kind)`; it has \(kinds.joined(separator: ", "))")
        }
        return found
    }

    /// The content type by which the host knows the document of an event from a plain event's object.
    private func contentType(of body: Bytes) -> String {
        guard sample == nil else { return EventDocument.type }
        guard let document = try? JSON.parse(body), document["kind"]?.stringValue != nil,
            document["request"] != nil || document["connection"] != nil || document["body"] != nil
        else { return "application/json" }
        return EventDocument.type
    }

    private func readEvent() -> Bytes {
        guard let event else { return "{}" }
        guard let bytes = readFile(event == "-" ? "/dev/stdin" : event) else {
            leave(64, "\(event) cannot be read")
        }
        return Bytes(bytes)
    }
}
