import Foundation
import FunctionCore
import HostKit
import Invocations
import Journal
import NIOCore
import NIOPosix
import Observe
import Settings
import TestSupport

let testLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()

/// An instant by its RFC 3339 text; a fixture with a typing error ends the test run.
func at(_ text: String) -> Instant {
    guard let instant = Instant(rfc3339: text) else { preconditionFailure("\(text) is no instant") }
    return instant
}

/// Telemetry that writes nothing.
func quietTelemetry(_ clock: VirtualClock) -> Telemetry {
    Telemetry(log: LogWriter(path: nil, console: .none), clock: clock)
}

/// A clock that shows an instant and stands still.
func standing(_ text: String) -> VirtualClock {
    let clock = VirtualClock()
    clock.setSpeed(0)
    clock.set(at(text))
    return clock
}

/// Looks until there is something, on the event loop's timer.
func until<Value: Sendable>(
    _ what: String,
    _ look: @Sendable () async throws -> Value?
) async throws -> Value {
    let end = NIODeadline.now() + .seconds(20)
    while true {
        if let value = try await look() { return value }
        guard NIODeadline.now() < end else { throw Missing(what: what) }
        try await testLoop.scheduleTask(in: .milliseconds(1)) {}.futureResult.get()
    }
}

/// A folder with functions and schedules, to be read as a project.
final class ProjectFolder: Sendable {
    private let workspace = Workspace()

    var path: String { workspace.path }
    var functions: String { "\(path)/functions" }
    var schedules: String { "\(path)/schedules" }

    init(_ files: [String: String], realCalendar: Bool = false) {
        for (name, text) in files { write(text, to: name) }
        for folder in [functions, schedules] {
            try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        if realCalendar {
            write(
                Text.read("\(Installed.project)/schedules/calendars/XNYS.yaml") ?? "",
                to: "schedules/calendars/XNYS.yaml"
            )
        }
    }

    func write(_ text: String, to name: String) {
        let url = URL(fileURLWithPath: "\(path)/\(name)")
        try? FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        store(Array(text.utf8), at: url.path)
    }

    /// The project, and what is wrong with it.
    func load(bundle: [String]? = nil) -> (project: Project, problems: [Problem]) {
        let problems = Problems()
        let project = Project.load(
            functions: functions,
            schedules: schedules,
            bundle: bundle,
            everyCalendar: true,
            problems: problems
        )
        return (project, problems.all)
    }

    /// The place of a problem, without the folder that nobody can know.
    func place(_ problem: Problem) -> String {
        let file = problem.file.replacingOccurrences(of: "\(path)/", with: "")
        return problem.line.map { "\(file):\($0)" } ?? file
    }
}

/// The least that a function's manifest says.
func manifestText(_ name: String, _ more: String = "") -> String {
    "name: \(name)\nsummary: For a test.\n\(more)"
}
