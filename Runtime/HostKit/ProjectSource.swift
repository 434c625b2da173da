import FunctionCore
import Invocations
import Processes
import Scaling
import Settings

/// Where a host's generations are read from.
struct ProjectSource: Sendable {
    /// The bundle's executable, as it was built.
    let bundle: String
    let functions: String
    let schedules: String
    /// Where the host keeps its copies of bundles.
    let copies: String
    /// What the functions have to fit into.
    let profile: HostProfile
    private let maxInFlight: Int?
    private let sharesJobs: Bool

    init(_ configuration: Configuration, program: String, directory: String, settings: HostSettings) {
        let named = configuration["bundle"]
        let folder = program.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        bundle = named.isEmpty ? folder.joined(separator: "/") + "/functions" : named
        functions = configuration["functions"]
        schedules = configuration["schedules"]
        copies = "\(directory)/bundles"
        profile = settings.profile
        maxInFlight = settings.maxInFlight
        sharesJobs = settings.sharesJobs
    }

    /// Reads the files; `known` names the functions that the bundle has, nil where it was not asked.
    func project(_ known: [String]?, _ problems: Problems) -> Project {
        let project = Project.load(
            functions: functions,
            schedules: schedules,
            bundle: known,
            profile: profile,
            problems: problems
        )
        // What is paid for is one transaction with the user's ledger, which is in a file of one host.
        for manifest in project.manifests where sharesJobs && !manifest.prices.isEmpty {
            let message = "\(manifest.name) costs credits, and jobs that hosts share cannot be paid for"
            let hint = "take `credits` out, or set the host's journal to sqlite"
            problems.add(
                Problem(file: "\(functions)/\(manifest.name)/function.yaml", message: message, hint: hint)
            )
        }
        let reserved = project.reserved.values.reduce(0, +)
        if let maxInFlight, reserved > maxInFlight {
            let message =
                "the functions reserve \(reserved) in flight, and the host's maxInFlight is \(maxInFlight)"
            let hint = "raise maxInFlight, or lower a `reserved`"
            problems.add(Problem(file: functions, message: message, hint: hint))
        }
        return project
    }

    /// Reads everything anew, on a thread of its own where it takes time, and finds all that is wrong.
    ///
    /// - Throws: `ConfigurationError` with all problems.
    func generation(_ number: Int) async throws(ConfigurationError) -> Generation {
        var found: [Problem] = []
        var loaded: Bundle?
        do throws(HostError) {
            loaded = try await Bundle.load(bundle, into: copies)
        } catch {
            let hint = "the bundle in force stays; build it again, and reload"
            found.append(Problem(file: bundle, message: error.description, hint: hint))
        }
        let known = loaded?.functions
        let (project, problems) = await withCheckedContinuation { continuation in
            startThread("project") {
                let problems = Problems()
                let project = self.project(known, problems)
                continuation.resume(returning: (project, problems.all))
            }
        }
        found += problems
        do throws(HostError) {
            try RequiredPrograms.check(project.manifests)
        } catch {
            let hint = "install what is missing, and reload"
            found.append(Problem(file: functions, message: error.description, hint: hint))
        }
        guard let loaded, found.isEmpty else { throw ConfigurationError(found) }
        return Generation(number: number, bundle: loaded, project: project)
    }

    /// The files that a generation is made of.
    var files: [String] {
        [bundle] + listDirectory(functions).map { "\(functions)/\($0)/function.yaml" }
            + ForeignFiles.below(functions)
            + listDirectory(schedules).map { "\(schedules)/\($0)" }
            + CalendarFiles(schedules: schedules).watched
    }
}
