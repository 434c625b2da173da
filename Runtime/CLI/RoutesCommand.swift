import ArgumentParser
import FunctionCore
import HostKit
import Invocations
import Settings

/// `swiftlet routes`.
struct Routes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Lists which request and which stream goes to which function, from the manifests; needs no host.",
        discussion: "With --json it is what a bundle needs beside it on AWS Lambda, as `functions.json`."
    )

    @OptionGroup var output: OutputOptions
    @OptionGroup var project: ProjectOptions

    func run() throws {
        let problems = Problems()
        let settings = Configuration.resolve(
            flags: project.flags,
            environment: processEnvironment(),
            file: nil,
            problems: problems
        )
        let manifests = Project.load(
            functions: settings["functions"],
            schedules: settings["schedules"],
            bundle: nil,
            problems: problems
        ).manifests
        guard problems.isEmpty else {
            problems.all.forEach { print($0.description) }
            throw ExitCode(78)
        }
        if output.json {
            let document: JSON = ["functions": .array(manifests.map(Routes.document))]
            return print(document.bytes(pretty: true).text)
        }
        for manifest in manifests {
            let routes = manifest.routes.map { ("\($0.method) \($0.path)", $0.operation) }
            for (trigger, operation) in routes + Routes.sources(manifest) {
                print("\(Banner.padded(manifest.name, 15)) \(Banner.padded(operation, 12)) \(trigger)")
            }
        }
    }

    private static func document(_ manifest: Manifest) -> JSON {
        let routes = manifest.routes.map { route -> JSON in
            [
                "method": .string(route.method), "path": .string(route.path),
                "operation": .string(route.operation),
            ]
        }
        let sources = sources(manifest).map { name, operation -> JSON in
            ["source": .string(name), "operation": .string(operation)]
        }
        return ["name": .string(manifest.name), "routes": .array(routes), "redis": .array(sources)]
    }

    private static func sources(_ manifest: Manifest) -> [(String, String)] {
        manifest.streams.map { ($0.stream, $0.operation) } + manifest.lists.map { ($0.list, $0.operation) }
            + manifest.channels.map { ($0.channel, $0.operation) }
    }
}
