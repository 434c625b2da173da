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
            instead, for a file that --event sends again. --recorded sends the event of a recording afresh, with \
            the clock and the world of now, to that or another function; `swiftlet replay` repeats all of it.
            """
    )

    @Argument(help: "The function's name.") var name: String
    @Option(
        help:
            "The event, a JSON file, or an exported recording, whose event is sent; `-` for standard input. Default: {}."
    )
    var event: String?
    @Option(help: "The event of a recording, by the invocation's id.") var recorded: String?
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
        guard [event, sample, recorded].count(where: { $0 != nil }) < 2 else {
            leave(64, "--event, --sample and --recorded each name the event: give one of them")
        }
        let (body, type) = eventToSend(client)
        if printsSample { return print(body.text) }
        var headers = [Header("content-type", type)]
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

    /// The event, and the content type by which the host knows what it is.
    private func eventToSend(_ client: HostClient) -> (Bytes, type: String) {
        if let sample { return (Bytes(sampleEvent(sample, client).text), EventDocument.type) }
        if let recorded {
            return recordedEvent(client.value("GET", "/v1/recordings/\(encoded(recorded))"))
        }
        let body = readEvent()
        guard let document = try? JSON.parse(body) else { return (body, "application/json") }
        // As `swiftlet export` writes it.
        if document["format"]?.intValue != nil, document["event"]?["kind"] != nil, document["seed"] != nil {
            return recordedEvent(document)
        }
        guard document["kind"]?.stringValue != nil,
            document["request"] != nil || document["connection"] != nil || document["body"] != nil
        else { return (body, "application/json") }
        return (body, EventDocument.type)
    }

    /// A recording with nothing in it but its event.
    private func recordedEvent(_ recording: JSON) -> (Bytes, type: String) {
        var file = recording.objectValue ?? [:]
        for list in ["tape", "clock"] { file[list] = [] }
        file["reply"] = nil
        if let operation, var event = file["event"]?.objectValue {
            event["operation"] = .string(operation)
            file["event"] = .object(event)
        }
        if file["event"]?.text.contains("[redacted]") == true {
            writeError("secrets were taken out of this event: the function sees [redacted] in their place\n")
        }
        return (JSON.object(file).bytes(), EventDocument.recordingType)
    }

    private func sampleEvent(_ kind: String, _ client: HostClient) -> JSON {
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

    private func readEvent() -> Bytes {
        guard let event else { return "{}" }
        guard let bytes = readFile(event == "-" ? "/dev/stdin" : event) else {
            leave(64, "\(event) cannot be read")
        }
        return Bytes(bytes)
    }
}
