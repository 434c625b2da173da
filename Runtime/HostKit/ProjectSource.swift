import Builds
import FunctionCore
import Glibc
import Invocations
import Processes
import Scaling
import Settings

/// Where a host's generations are read from.
package struct ProjectSource: Sendable {
    /// The bundle's executable, as it was built.
    var bundle: String
    let functions: String
    let schedules: String
    /// Where the host keeps its copies of bundles.
    let copies: String
    /// What the functions have to fit into.
    let profile: HostProfile
    /// What is built in the background, where anything is.
    let build: BuildPlan?
    private let maxInFlight: Int?
    private let sharesJobs: Bool

    init(_ configuration: Configuration, program: String, directory: String, settings: HostSettings) {
        build = settings.builds ? ProjectSource.package(configuration) : nil
        bundle = ProjectSource.bundle(
            configuration,
            program: program,
            isDevelopment: settings.isDevelopment
        )
        functions = configuration["functions"]
        schedules = configuration["schedules"]
        copies = "\(directory)/bundles"
        profile = settings.profile
        maxInFlight = settings.maxInFlight
        sharesJobs = settings.sharesJobs
    }

    /// The package that holds the functions, and how it is built; nil where there is none, or a bundle was named.
    package static func package(_ configuration: Configuration) -> BuildPlan? {
        guard configuration["bundle"].isEmpty else { return nil }
        // The directory may still have to be made, and the compiler runs in the package's folder.
        let data = configuration["data"]
        let here = DataDirectory.absolute(".")
        let scratch = "\(data.hasPrefix("/") ? data : "\(here)/\(data)")/build"
        return BuildPlan(functions: configuration["functions"], scratch: scratch)
    }

    /// The bundle to begin with: the one that is named, else the one beside the program, unless the package has one
    /// of its own: then what a development host builds, or a release build.
    package static func bundle(
        _ configuration: Configuration,
        program: String,
        isDevelopment: Bool
    ) -> String {
        let named = configuration["bundle"]
        if !named.isEmpty { return named }
        let folder = program.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let beside = folder.joined(separator: "/") + "/functions"
        guard let own = package(configuration),
            !(program.hasPrefix(own.package + "/") && access(beside, X_OK) == 0)
        else { return beside }
        return isDevelopment ? own.output : own.release
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
    /// `known` is the bundle in force, which is not read again where its file is the same.
    func generation(_ number: Int, known: Bundle? = nil) async throws(ConfigurationError) -> Generation {
        var found: [Problem] = []
        var loaded: Bundle?
        do throws(HostError) {
            if let known, known.isCopy(of: bundle) {
                loaded = known
            } else {
                loaded = try await Bundle.load(bundle, into: copies)
            }
        } catch {
            let hint = "the bundle in force stays; build it again, and reload"
            found.append(Problem(file: bundle, message: error.description, hint: hint))
        }
        let names = loaded?.functions
        let (project, problems) = await withCheckedContinuation { continuation in
            startThread("project") {
                let problems = Problems()
                let project = self.project(names, problems)
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

    /// The folders in which they lie, but for the bundle's.
    var folders: [String] {
        let own = listDirectory(functions).map { "\(functions)/\($0)" }
        return [functions] + own + own.map { "\($0)/schemas" }
            + [schedules, "\(schedules)/calendars", "\(schedules)/calendars/overrides"]
    }

    /// The files that a generation is made of.
    ///
    /// A bundle that is built in the background is not among them: the build's end tells of it.
    var files: [String] {
        (bundle == build?.output ? [] : [bundle])
            + listDirectory(functions).map { "\(functions)/\($0)/function.yaml" }
            + ForeignFiles.below(functions) + SchemaFiles.below(functions)
            + listDirectory(schedules).map { "\(schedules)/\($0)" }
            + CalendarFiles(schedules: schedules).watched
    }
}
