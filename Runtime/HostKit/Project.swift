import FunctionCore
import Glibc
import HTTPTrigger
import Invocations
import Processes
import Scaling
import Scheduling
import Settings

/// All that a host is told by files: functions, schedules, calendars.
///
/// Read and checked as a whole.
package struct Project: Sendable {
    package var manifests: [Manifest]
    package var book: ScheduleBook
    package var plan: SchedulePlan

    /// What each function has of the host's `maxInFlight` for itself.
    package var reserved: [String: Int] {
        Dictionary(
            manifests.map { ($0.name, $0.limits.reserved) }.filter { $0.1 > 0 },
            uniquingKeysWith: { _, last in last }
        )
    }

    /// Reads and checks everything; what is wrong goes to `problems`, all of it.
    ///
    /// `bundle` names the functions that the bundle has; nil where it was not asked. `profile` is what the
    /// functions have to fit into; nil where that is not known. `everyCalendar` reads those too that nothing
    /// needs.
    package static func load(
        functions: String,
        schedules: String,
        bundle: [String]?,
        profile: HostProfile? = nil,
        everyCalendar: Bool = false,
        problems: Problems
    ) -> Project {
        var manifests: [Manifest] = []
        var reader = ScheduleReader(problems: problems, calendarFiles: CalendarFiles(schedules: schedules))
        var triggers: [(String, [SettingsNode])] = []
        let folders = listDirectory(functions)
        for folder in folders {
            let file = "\(functions)/\(folder)/function.yaml"
            guard let text = readText(file),
                let read = ManifestReader.read(text, file: file, problems: problems)
            else { continue }
            if let twin = manifests.first(where: { $0.name == read.manifest.name }) {
                let message = "the function \(twin.name) is already described by \(twin.file)"
                problems.add(Problem(file: file, line: 1, message: message, hint: "give it another name"))
                continue
            }
            var manifest = read.manifest
            if let foreign = manifest.foreign {
                manifest.foreign?.mark = ForeignFiles.mark(of: foreign.folder)
            }
            SchemaFiles.read(into: &manifest, problems)
            manifests.append(manifest)
            triggers.append((read.manifest.name, read.schedules))
        }
        if manifests.isEmpty {
            let hint = "run from the project's folder, or name the folder with --functions"
            problems.add(Problem(file: functions, message: "there is no function.yaml below it", hint: hint))
        }
        let names = manifests.map(\.name)
        if let bundle { compare(manifests, bundle, problems) }
        checkRoutes(manifests, problems)
        checkFolders(manifests, problems)
        checkPrograms(manifests, problems)
        checkDestinations(manifests, problems)
        if access(schedules, R_OK | X_OK) != 0 {
            let hint = "make it, even if it stays empty, or name another with --schedules"
            problems.add(Problem(file: schedules, message: "there is no folder of schedules", hint: hint))
        }
        for file in yamlFiles(schedules) {
            reader.readFile(readText(file) ?? "", file: file, functions: names)
        }
        for (name, nodes) in triggers {
            for node in nodes { reader.readTrigger(node, function: name) }
        }
        if everyCalendar { reader.readOwnCalendars() }
        // Prices and the paper broker go by a market's sessions, also where no schedule does.
        if reader.book.calendars.isEmpty { _ = reader.calendar(named: "XNYS") }
        let book = reader.book
        let plan = makePlan(book, schedules, problems)
        var project = Project(manifests: manifests, book: book, plan: plan)
        if let profile { project.fit(profile, problems) }
        return project
    }

    /// The rotations whose calendars have no answer for an instant, and since when.
    package func expired(at now: Instant) -> [(id: String, since: Instant)] {
        book.rotations.filter { $0.covered.upperBound <= now }.map { ($0.id, $0.covered.upperBound) }
    }

    /// What is wrong with calendars at an instant: a rotation needs one that has expired.
    package func checkCalendars(at now: Instant, schedules: String, _ problems: Problems) {
        for (id, since) in expired(at: now) {
            let message = "calendar_expired: the rotation `\(id)` opens no window since \(since.rfc3339)"
            let hint = "give its calendar the years that are missing, or take a newer one"
            problems.add(Problem(file: schedules, message: message, hint: hint))
        }
    }

    private static func checkDestinations(_ manifests: [Manifest], _ problems: Problems) {
        let names = manifests.map(\.name)
        for manifest in manifests {
            for (key, destination) in [("onSuccess", manifest.onSuccess), ("onFailure", manifest.onFailure)] {
                guard case .function(let name, _) = destination, !names.contains(name) else { continue }
                let near = nearest(name, names).map { "did you mean \($0)?" }
                let hint = near ?? "there are \(names.joined(separator: ", "))"
                let message = "\(key) names the function `\(name)`, which is not there"
                problems.add(Problem(file: manifest.file, message: message, hint: hint))
            }
        }
    }

    private static func checkRoutes(_ manifests: [Manifest], _ problems: Problems) {
        for problem in Router.problems(manifests) {
            let claim = problem.claim
            problems.add(
                Problem(
                    file: claim.file,
                    line: claim.route.line,
                    message: problem.message,
                    hint: "change one of the routes"
                )
            )
        }
        for (first, second) in Router.conflicts(manifests) {
            let route = "\(second.route.method) \(second.route.path)"
            let place = "\(first.file):\(first.route.line)"
            let message = "\(second.function) claims \(route), which \(first.function) has by \(place)"
            problems.add(
                Problem(
                    file: second.file,
                    line: second.route.line,
                    message: message,
                    hint: "change one of the two"
                )
            )
        }
    }

    private static func checkFolders(_ manifests: [Manifest], _ problems: Problems) {
        for manifest in manifests {
            for folder in manifest.folders where access("\(folder.folder)/.", R_OK | X_OK) != 0 {
                let message = "there is no folder \(folder.folder) that can be read"
                let hint = "make it, even if it stays empty, or take the entry out"
                problems.add(Problem(file: manifest.file, line: folder.line, message: message, hint: hint))
            }
        }
    }

    private static func checkPrograms(_ manifests: [Manifest], _ problems: Problems) {
        for manifest in manifests {
            guard let foreign = manifest.foreign, findExecutable(foreign.program) == nil else { continue }
            let message = "there is no program \(foreign.program) that can be executed"
            let hint = "build or install it, or correct `command`"
            problems.add(Problem(file: manifest.file, line: foreign.line, message: message, hint: hint))
        }
    }

    private static func makePlan(
        _ book: ScheduleBook,
        _ schedules: String,
        _ problems: Problems
    ) -> SchedulePlan {
        do throws(SchedulingError) {
            return try SchedulePlan(entries: book.entries, rotations: book.rotations)
        } catch {
            problems.add(Problem(file: schedules, message: error.message, hint: "correct the schedules"))
            return .empty
        }
    }

    private static func compare(_ manifests: [Manifest], _ bundle: [String], _ problems: Problems) {
        for manifest in manifests where manifest.foreign == nil && !bundle.contains(manifest.name) {
            let message = "the bundle has no function \(manifest.name)"
            let hint = "add it to the catalogue and build, or remove its function.yaml"
            problems.add(Problem(file: manifest.file, line: 1, message: message, hint: hint))
        }
        for name in bundle where !manifests.contains(where: { $0.name == name }) {
            let hint = "write a function.yaml whose name is \(name)"
            problems.add(
                Problem(file: "bundle", message: "the function \(name) has no function.yaml", hint: hint)
            )
        }
    }

    private static func yamlFiles(_ directory: String) -> [String] {
        listDirectory(directory).filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.map {
            "\(directory)/\($0)"
        }
    }
}

extension SchedulePlan {
    /// A plan without schedules.
    package static let empty: SchedulePlan = {
        guard let plan = try? SchedulePlan(entries: [], rotations: []) else {
            preconditionFailure("a plan without schedules has nothing that could be wrong")
        }
        return plan
    }()
}
