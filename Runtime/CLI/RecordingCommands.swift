import ArgumentParser
import FunctionCore
import Glibc
import HostKit

/// `swiftlet recordings`.
struct Recordings: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists the invocations that the running host has kept, newest first."
    )

    @OptionGroup var output: OutputOptions
    @OptionGroup var address: HostAddress

    func run() {
        let client = HostClient(base: address.urls().admin)
        for entry in client.value("GET", "/v1/recordings")["recordings"]?.arrayValue ?? [] {
            if output.json {
                print(entry.text)
                continue
            }
            let words = ["recorded", "id", "function", "outcome"].map { entry[$0]?.stringValue ?? "" }
            print(words.joined(separator: "  ") + "  attempt \(entry["attempt"]?.intValue ?? 1)")
        }
    }
}

/// `swiftlet export`.
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints a recording, without secrets: a file that a colleague can replay.",
        discussion: "swiftlet export ID > file; there: swiftlet replay --file file"
    )

    @Argument(help: "The invocation's id.") var id: String
    @Option(help: "The attempt. Default: the last one that is kept.") var attempt: Int?
    @OptionGroup var address: HostAddress

    func run() {
        let query = attempt.map { "?attempt=\($0)" } ?? ""
        let client = HostClient(base: address.urls().admin)
        writeOut(client.value("GET", "/v1/recordings/\(encoded(id))\(query)").bytes(pretty: true))
        print("")
    }
}

/// `swiftlet replay`.
struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Runs a recorded invocation again, with the clock, the random numbers and the answers it had.",
        discussion: """
            Nothing outside is reached. Exit code 1 where outcome, reply or calls differ, which is told. Under a \
            debugger: swiftlet export ID > file, then gdb --args functions --inline NAME --record file
            """
    )

    @Argument(help: "The invocation's id.") var id: String?
    @Option(help: "A file of `swiftlet export`, instead of an id.") var file: String?
    @Option(help: "The attempt. Default: the last one that is kept.") var attempt: Int?
    @Option(help: "How often.") var times = 1
    @OptionGroup var output: OutputOptions
    @OptionGroup var address: HostAddress

    func run() throws {
        guard (id == nil) != (file == nil) else { leave(64, "name either an id or --file") }
        let client = HostClient(base: address.urls().admin)
        let answer: HostClient.Answer
        if let file {
            guard let bytes = readFile(file) else { leave(64, "\(file) cannot be read") }
            answer = client.send("POST", "/v1/replay?times=\(times)", bytes: Bytes(bytes), headers: [.json])
        } else {
            let query = attempt.map { "&attempt=\($0)" } ?? ""
            answer = client.send("POST", "/v1/recordings/\(encoded(id ?? ""))/replay?times=\(times)\(query)")
        }
        guard answer.status < 400 else {
            let error = answer.json["error"]
            leave(
                1,
                "\(error?["code"]?.stringValue ?? ""): \(error?["message"]?.stringValue ?? answer.body.text)"
            )
        }
        show(answer.json)
        if answer.json["same"]?.intValue != answer.json["times"]?.intValue { throw ExitCode(1) }
    }

    private func show(_ answer: JSON) {
        if output.json { return print(answer.text) }
        let runs = answer["runs"]?.arrayValue ?? []
        if let last = runs.last {
            print(last["reply"]?.stringValue ?? "")
            print("\(last["outcome"]?.stringValue ?? "") \(last["status"]?.intValue ?? 0)")
        }
        for (index, run) in runs.enumerated() {
            for difference in run["differences"]?.arrayValue ?? [] {
                print("run \(index + 1): \(difference.stringValue ?? "")")
            }
        }
        if answer["same_bundle"]?.boolValue == false { print("the bundle is another one than it was") }
        print("\(answer["same"]?.intValue ?? 0) of \(runs.count) as recorded")
    }
}
