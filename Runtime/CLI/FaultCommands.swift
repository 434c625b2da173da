import ArgumentParser
import FunctionCore
import HostKit
import Settings

/// `swiftlet fault`.
struct Fault: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Has something fail in a development host, to see what comes of it.",
        discussion: "For one request alone: the header `x-swiftlet-fault: provider=429`, or `worker=kill`.",
        subcommands: [Provider.self, Worker.self, Redis.self, List.self, Clear.self]
    )

    fileprivate static func ask(_ body: JSON, _ address: HostAddress) -> JSON {
        HostClient(base: address.urls().admin).value("POST", "/v1/faults", body: body)
    }

    /// `swiftlet fault provider`.
    struct Provider: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Has the next requests to the provider of texts and images fail."
        )
        @Argument(help: "429, 500, hang, or cut.") var fault: String
        @Option(help: "How many requests.") var count = 1
        @Option(help: "Only those of that function.") var function: String?
        @OptionGroup var address: HostAddress

        func run() {
            var body: JSONObject = ["provider": .string(fault), "count": .integer(Int64(count))]
            if let function { body["function"] = .string(function) }
            print(Fault.ask(.object(body), address).text)
        }
    }

    /// `swiftlet fault worker kill`.
    struct Worker: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Kills a worker, one at work if there is one."
        )
        @Argument(help: "kill") var action: String
        @Argument(help: "The function.") var function: String
        @OptionGroup var address: HostAddress

        func run() {
            print(Fault.ask(["worker": .string(action), "function": .string(function)], address).text)
        }
    }

    /// `swiftlet fault redis lose`.
    struct Redis: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends the host's own Redis, and starts it again after a while."
        )
        @Argument(help: "lose") var action: String
        @Option(name: .customLong("for"), help: "Such as 10s.") var time = "10s"
        @OptionGroup var address: HostAddress

        func run() {
            guard let duration = parseDuration(time) else {
                leave(64, "`\(time)` is no duration; write 500ms, 10s or 2m")
            }
            let seconds = JSON.number(duration.milliseconds / 1000)
            print(Fault.ask(["redis": .string(action), "seconds": seconds], address).text)
        }
    }

    /// `swiftlet fault list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists what has still to fail.")
        @OptionGroup var address: HostAddress

        func run() {
            let faults = HostClient(base: address.urls().admin).value("GET", "/v1/faults")["faults"]
            for fault in faults?.arrayValue ?? [] { print(fault.text) }
        }
    }

    /// `swiftlet fault clear`.
    struct Clear: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Takes back all that has still to fail.")
        @OptionGroup var address: HostAddress

        func run() {
            print(HostClient(base: address.urls().admin).value("DELETE", "/v1/faults").text)
        }
    }
}
