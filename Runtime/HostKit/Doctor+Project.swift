import Builds
import Glibc
import Invocations
import Settings

// What is to be run here: the bundle, and the files that describe its functions.

extension Doctor {
    func project() async -> (findings: [Finding], manifests: [Manifest]) {
        let functions = configuration["functions"]
        let hasFunctions = listDirectory(functions).contains {
            access("\(functions)/\($0)/function.yaml", F_OK) == 0
        }
        guard hasFunctions else {
            let detail = "there are no functions in \(DataDirectory.absolute(functions))"
            let remedy = "`swiftlet new project DIR` makes a package; --functions names another folder"
            return ([Finding("project", .warning, detail, remedy)], [])
        }
        let (bundle, known) = await bundle()
        let problems = Problems()
        let project = Project.load(
            functions: functions,
            schedules: configuration["schedules"],
            bundle: known,
            problems: problems
        )
        let (count, times) = (project.manifests.count, project.book.entries.count)
        var finding = Finding("project", .good, "\(count) functions, \(times) schedules")
        if let first = problems.all.first {
            let more = problems.all.count > 1 ? ", and \(problems.all.count - 1) more" : ""
            finding = Finding("project", .fault, "\(first)\(more)", "`swiftlet check` tells all")
        }
        return ([bundle, finding], Array(project.manifests))
    }

    /// The executable that holds the functions, and which it has.
    private func bundle() async -> (Finding, known: [String]?) {
        let path = ProjectSource.bundle(configuration, program: program, isDevelopment: true)
        guard access(path, X_OK) == 0 else {
            if path == ProjectSource.package(configuration)?.output {
                return (Finding("bundle", .good, "none yet: `swiftlet dev` builds it first"), nil)
            }
            let remedy = "build it, here by `make build`, or name one by --bundle"
            return (Finding("bundle", .fault, "there is none at \(path)", remedy), nil)
        }
        let known: [String]
        do throws(HostError) {
            known = try await Bundle.describe(path)
        } catch {
            return (Finding("bundle", .fault, "\(error)", "build it again"), nil)
        }
        let package = DataDirectory.absolute("\(configuration["functions"])/..")
        let built = SourceTree.Mark(path)?.changed ?? 0
        guard access("\(package)/Package.swift", F_OK) != 0 || SourceTree(package).newest <= built else {
            let remedy = "`swiftlet dev` builds it anew; for `serve` build it again"
            return (
                Finding("bundle", .warning, "\(path) is older than the sources in \(package)", remedy), known
            )
        }
        return (Finding("bundle", .good, "\(path), \(known.count) functions"), known)
    }
}
