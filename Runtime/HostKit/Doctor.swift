import FunctionCore
import Invocations
import Processes
import Settings

/// What a machine has of that which a host needs.
package struct Doctor: Sendable {
    /// How bad it is where something is missing.
    package enum Verdict: String, Sendable {
        case good = "ok"
        /// Something is weaker, slower or not to be had.
        case warning
        /// A host does not start, or its functions do not run.
        case fault
    }

    /// One thing that was looked at.
    package struct Finding: Sendable {
        package var name: String
        package var verdict: Verdict
        /// What there is.
        package var detail: String
        /// What mends it; empty where nothing has to be.
        package var remedy: String

        package init(_ name: String, _ verdict: Verdict, _ detail: String, _ remedy: String = "") {
            self.name = name
            self.verdict = verdict
            self.detail = detail
            self.remedy = remedy
        }

        package var json: JSON {
            [
                "name": .string(name), "verdict": .string(verdict.rawValue), "detail": .string(detail),
                "remedy": .string(remedy),
            ]
        }
    }

    let configuration: Configuration
    let program: String

    /// For a host of that configuration, run by the executable at `program`.
    package init(_ configuration: Configuration, program: String) {
        self.configuration = configuration
        self.program = program
    }

    /// Looks at everything; takes a few seconds at most.
    ///
    /// Changes nothing, but for a bound port and an empty folder that are let go at once.
    package func examine() async -> [Finding] {
        let (project, manifests) = await project()
        var findings = await programs(manifests) + project
        if let redis = await redis() { findings.append(redis) }
        findings += [kernel(), openFiles(), dataDirectory(), clock(), zones()]
        findings += await isolation()
        findings += [
            port("gateway.port", on: configuration["gateway.host"]),
            port("admin.port", on: configuration["admin.bind"]),
        ]
        return findings
    }

    // MARK: Programs

    private struct Program {
        var name: String
        var arguments = ["--version"]
        /// Debian's, where it is from there.
        var package = ""
        var need: String
        /// The binding that is nothing without it.
        var binding = ""
    }

    private static let wanted = [
        Program(name: "swift", need: "to build functions; a bundle that is built runs without it"),
        Program(
            name: "redis-server",
            package: "redis-server",
            need: "for the private Redis of `dev`, unless REDIS_URL names one"
        ),
        Program(name: "ffmpeg", arguments: ["-version"], package: "ffmpeg", need: "", binding: "render"),
        Program(name: "ffprobe", arguments: ["-version"], package: "ffmpeg", need: "", binding: "render"),
        Program(name: "espeak-ng", package: "espeak-ng", need: "", binding: "speech"),
    ]

    private func programs(_ manifests: [Manifest]) async -> [Finding] {
        var findings: [Finding] = []
        for program in Doctor.wanted {
            let askers = manifests.filter { !program.binding.isEmpty && $0.grants(program.binding) }.map(
                \.name
            )
            guard let path = findExecutable(program.name) else {
                findings.append(missing(program, askers))
                continue
            }
            let output = try? await ChildProcess.run(
                ChildSpec(path, program.arguments),
                timeout: .seconds(10)
            )
            let text = (output?.output.text ?? "") + (output?.errors.text ?? "")
            let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? "it says nothing"
            guard output?.status.succeeded == true else {
                let verdict: Verdict = askers.isEmpty ? .warning : .fault
                findings.append(
                    Finding(program.name, verdict, "\(path) does not run: \(line)", "install it again")
                )
                continue
            }
            let isOld = program.name == "swift" && Doctor.isOld(swift: line)
            findings.append(
                Finding(program.name, isOld ? .warning : .good, line, isOld ? Doctor.swiftRemedy : "")
            )
        }
        return findings
    }

    private func missing(_ program: Program, _ askers: [String]) -> Finding {
        let need =
            if program.binding.isEmpty {
                program.need
            } else if askers.isEmpty {
                "for functions that are granted `\(program.binding)`; none is here"
            } else {
                "`\(program.binding)` is granted to \(askers.joined(separator: ", ")), and a host does not start without"
            }
        let isNeeded =
            !askers.isEmpty || (program.name == "redis-server" && configuration["redis.url"].isEmpty)
        let remedy = program.package.isEmpty ? Doctor.swiftRemedy : "apt-get install \(program.package)"
        return Finding(program.name, isNeeded ? .fault : .warning, "missing: \(need)", remedy)
    }

    private static let swiftRemedy =
        "install Swift \(swift.0).\(swift.1) or later from https://swift.org/install and put it in PATH"
    /// The oldest that reads this package and those that `swiftlet new project` makes.
    private static let swift = (6, 2)

    /// Whether a line such as `Swift version 6.3.1 (swift-6.3.1-RELEASE)` names one that is too old.
    private static func isOld(swift line: String) -> Bool {
        guard let mark = line.firstRange(of: "Swift version ") else { return false }
        let numbers = line[mark.upperBound...].prefix { $0 == "." || $0.isNumber }.split(separator: ".")
        guard let major = numbers.first.flatMap({ Int($0) }) else { return false }
        return (major, numbers.dropFirst().first.flatMap { Int($0) } ?? 0) < swift
    }
}
