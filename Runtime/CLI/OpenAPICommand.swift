import ArgumentParser
import FunctionCore
import Glibc
import HostKit
import Settings

/// `swiftlet openapi`.
struct OpenAPICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi",
        abstract:
            "Prints the OpenAPI 3.1 document of the gateway's routes, from the manifests and their schemas.",
        discussion: """
            Needs no host; with --admin it is the document of a running host's admin port. Exit code 78 \
            where the manifests have faults.
            """
    )

    @Flag(help: "The admin port's document, from the running host.") var admin = false
    @OptionGroup var project: ProjectOptions

    func run() throws {
        if admin {
            let address = try HostAddress.parse(project.data.map { ["--data", $0] } ?? [])
            let client = HostClient(base: address.urls().admin)
            return writeOut(Bytes(client.value("GET", "/openapi.json").bytes(pretty: true).array + [10]))
        }
        let problems = Problems()
        var environment = parseDotEnv(readText(".env") ?? "")
        environment.merge(processEnvironment()) { _, real in real }
        let settings = Configuration.resolve(
            flags: project.flags,
            environment: environment,
            file: nil,
            problems: problems
        )
        let project = Project.load(
            functions: settings["functions"],
            schedules: settings["schedules"],
            bundle: nil,
            problems: problems
        )
        for problem in problems.all { writeError("\(problem)") }
        guard problems.isEmpty else { throw ExitCode(78) }
        writeOut(Bytes(openAPIDocument(project.manifests).bytes(pretty: true).array + [10]))
    }
}
