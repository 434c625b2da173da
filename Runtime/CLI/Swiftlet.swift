import ArgumentParser
import HostKit

/// The command line.
///
/// Exit codes: 0 done; 1 the function or the request failed; 64 the command's words are off; 69 a program or
/// a host is missing; 70 an internal fault; 73 the data directory; 75 a busy port; 78 the configuration.
@main
struct Swiftlet: AsyncParsableCommand {
    static let version = Release.version

    static let configuration = CommandConfiguration(
        commandName: "swiftlet",
        abstract: "Runs functions in worker processes: by HTTP, by Redis, by schedule.",
        discussion: """
            Exit codes: 0 done; 1 the function or the request failed; 64 the command's words are off; 69 a \
            program or a host is missing; 70 an internal fault; 73 the data directory; 75 a busy port; 78 \
            the configuration.
            """,
        version: version,
        subcommands: [
            Dev.self, Serve.self, Reload.self, Invoke.self, Functions.self, Routes.self, Check.self,
            Logs.self, New.self, Tail.self, Trace.self, DoctorCommand.self,
            Schedule.self, Cron.self, MarketCalendars.self, Clock.self, Jobs.self, Audit.self,
            DeadLettersCommand.self,
            Credits.self,
            Shards.self, Recordings.self, Replay.self, Export.self, Fault.self, ScaleReplay.self,
            OpenAPICommand.self, Demo.self,
            Version.self,
            OfflineProviderCommand.self,
        ]
    )

    static func main() async {
        var words = Array(CommandLine.arguments.dropFirst())
        // `-1h` would be read as a row of flags, of which h asks for help.
        if words.starts(with: ["clock", "advance"]), !words.contains("--"),
            let place = words.firstIndex(where: {
                $0.hasPrefix("-") && $0.dropFirst().first?.isNumber == true
            })
        {
            words += ["--", words.remove(at: place)]
        }
        await main(words)
    }
}

/// `swiftlet version`.
struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints the version.")

    func run() {
        print(Swiftlet.version)
    }
}
