import ArgumentParser
import FunctionCore
import Glibc
import HostKit

/// `swiftlet offline-provider`: what a development host starts when it has no key.
///
/// Ends with its standard input.
struct OfflineProviderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offline-provider",
        abstract: "Serves the offline provider on a free port of loopback, which it prints.",
        shouldDisplay: false
    )

    @Option(help: "The port; 0 picks a free one.") var port = 0

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        do {
            let server = try await OfflineServer.start(port: port)
            writeOut(Bytes("\(server.port)\n"))
        } catch {
            leaveFor(error)
        }
        await OfflineServer.waitForEndOfInput()
        Glibc.exit(0)
    }
}
