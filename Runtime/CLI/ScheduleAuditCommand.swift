import ArgumentParser
import FunctionCore

extension Schedule {
    /// `swiftlet schedule audit`.
    struct Audit: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Looks through what the rotations did; exit code 1 where a rule was broken.",
            discussion: """
                The rules: never two windows with a valid token, tokens that only rise, no window before its \
                time, and none later than the rotation's gap without an alarm. Reads what the journal keeps.
                """
        )

        @OptionGroup var output: OutputOptions
        @OptionGroup var address: HostAddress

        func run() throws {
            let report = HostClient(base: address.urls().admin).value("GET", "/v1/schedule/audit")
            if output.json {
                print(report.text)
            } else {
                for rotation in report["rotations"]?.arrayValue ?? [] {
                    let findings = rotation["findings"]?.arrayValue ?? []
                    let verdict = findings.isEmpty ? "sound" : "\(findings.count) findings"
                    let (grants, late) = (rotation["grants"]?.intValue ?? 0, rotation["late"]?.intValue ?? 0)
                    print(
                        "\(rotation["rotation"]?.stringValue ?? ""): \(verdict), \(grants) grants, \(late) late"
                    )
                    for finding in findings { print("  \(finding.stringValue ?? "")") }
                }
            }
            guard report["sound"]?.boolValue == true else { throw ExitCode(1) }
        }
    }
}
