import ArgumentParser
import FunctionCore
import HostKit
import Settings

/// `swiftlet doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Tells what is missing on this machine, and how to mend it.",
        discussion: """
            Looks at programs, the project and its bundle, ports, limits, the data directory, the clock, time zones and what \
            confines workers; with --functions, --data and the environment of the host that is meant. Exit code 69 \
            where a host would not start or its functions would not run; a warning alone is 0.
            """
    )

    @OptionGroup var output: OutputOptions
    @OptionGroup var project: ProjectOptions

    func run() async throws {
        let problems = Problems()
        var environment = parseDotEnv(readText(".env") ?? "")
        environment.merge(processEnvironment()) { _, real in real }
        let configuration = Configuration.resolve(
            flags: project.flags,
            environment: environment,
            file: nil,
            problems: problems
        )
        var findings = await Doctor(configuration, program: programPath()).examine()
        findings += problems.all.map { Doctor.Finding($0.file, .fault, $0.message, $0.hint) }
        for finding in findings {
            if output.json {
                print(finding.json.text)
                continue
            }
            let mark =
                finding.verdict == .good ? "ok     " : finding.verdict == .warning ? "warning" : "FAULT  "
            print("\(mark) \(Banner.padded(finding.name, 15)) \(finding.detail)")
            if !finding.remedy.isEmpty { print("\(Banner.padded("", 23)) mend: \(finding.remedy)") }
        }
        if findings.contains(where: { $0.verdict == .fault }) { throw ExitCode(69) }
    }
}
