import FunctionCore
import Invocations
import Isolation
import LambdaRuntime
import NIOCore
import Synchronization
import WorkerPool

/// Makes the pools of a generation.
struct PoolFactory: Sendable {
    let bindings: BindingHost
    let group: any EventLoopGroup
    let clock: VirtualClock
    let telemetry: Telemetry
    let isolation: WorkerIsolation
    let templates: TemplateSet
    let environment: [String: String]
    /// What the pools of all generations share.
    let capacity: HostCapacity
    /// The host's `maxInFlight`, where it has one.
    let shares: InFlightShares?
    let recordings: RecordingStore

    init(
        bindings: BindingHost,
        group: any EventLoopGroup,
        clock: VirtualClock,
        telemetry: Telemetry,
        isolation: WorkerIsolation,
        hasTemplate: Bool,
        backtraces: Bool,
        capacity: HostCapacity,
        shares: InFlightShares?,
        recordings: RecordingStore
    ) {
        self.bindings = bindings
        self.group = group
        self.clock = clock
        self.telemetry = telemetry
        self.isolation = isolation
        self.capacity = capacity
        self.shares = shares
        self.recordings = recordings
        environment = ["SWIFT_BACKTRACE": backtraces ? "enable=yes,color=no,interactive=no" : "enable=no"]
        templates = TemplateSet(environment, isOn: hasTemplate, telemetry: telemetry)
    }

    /// A pool that has not started.
    func pool(_ manifest: Manifest, of bundle: Bundle) -> FunctionPool {
        let (clock, telemetry) = (clock, telemetry)
        let program = WorkerProgram(
            executable: bundle.executable,
            hash: bundle.hash,
            environment: environment,
            isolation: isolation,
            template: manifest.foreign == nil ? templates.template(of: bundle) : nil,
            adapter: LambdaFunction(manifest).map { LambdaProgram($0, realNow: { VirtualClock.realNow() }) }
        )
        return FunctionPool(
            manifest: manifest,
            program: program,
            bindings: bindings,
            loop: group.next(),
            clock: { clock.reading },
            capacity: capacity,
            shares: shares,
            recording: recordings.rule,
            report: { [recordings] report in
                if case .recorded(let recording) = report { return recordings.keep(recording) }
                // The pool holds the bundle: its copy stays for as long as workers may start from it.
                withExtendedLifetime(bundle) { telemetry.pool(report) }
            }
        )
    }
}

/// The template of the bundle in force; those of earlier ones go with the last pool that uses them.
///
/// Threading: any.
final class TemplateSet: Sendable {
    private struct State {
        var hash = ""
        weak var template: WorkerTemplate?
    }

    private let environment: [String: String]
    private let isOn: Bool
    private let telemetry: Telemetry
    private let state = Mutex(State())

    init(_ environment: [String: String], isOn: Bool, telemetry: Telemetry) {
        self.environment = environment
        self.isOn = isOn
        self.telemetry = telemetry
    }

    func template(of bundle: Bundle) -> WorkerTemplate? {
        guard isOn else { return nil }
        return state.withLock { state in
            if state.hash == bundle.hash, let template = state.template { return template }
            let template = WorkerTemplate(
                executable: bundle.executable,
                environment: environment,
                report: { [telemetry] in telemetry.template($0, bundle) }
            )
            state.hash = bundle.hash
            state.template = template
            template.start()
            return template
        }
    }

    /// `on`, or `off` while workers are started plainly.
    var text: String { state.withLock { $0.template?.isReady == true ? "on" : "off" } }

    /// Ends the template; returns when it is gone.
    func stop() async {
        guard let template = state.withLock({ $0.template }) else { return }
        await withCheckedContinuation { continuation in
            // Held until then: one that nobody holds is told of no end.
            template.stop { withExtendedLifetime(template) { continuation.resume() } }
        }
    }
}

extension Telemetry {
    /// What the template of a bundle tells.
    func template(_ report: WorkerTemplate.Report, _ bundle: Bundle) {
        let hash = ("bundle", JSON.string(String(bundle.hash.prefix(16))))
        switch report {
        case .ready: note(.info, "workers are forked from a template", [hash])
        case .off(let why): note(.warning, "workers are started plainly", [hash, ("reason", .string(why))])
        }
    }
}
