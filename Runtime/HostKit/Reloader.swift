import Activity
import Builds
import FunctionCore
import HTTPTrigger
import Invocations
import Journal
import NIOCore
import Observe
import Processes
import Settings
import Storage
import WorkerPool

/// Puts a new generation in force while the host serves, and certificates that have changed.
///
/// The new one is read and checked as a whole; then new workers start for every function that has some now,
/// and only when they can take invocations do routes and dispatch change, at once. The old workers end what
/// they have. Whatever goes wrong before that leaves all as it was.
package actor Reloader {
    private let state: HostState
    private let source: ProjectSource
    private let gateway: Gateway
    private let certificates: GatewayCertificates?
    private let endpoints: [EndpointRoute]
    private let triggers: TriggerSet
    private let manager: ServiceManager?
    /// What was built in the background last, once something was that differs from what the host began with.
    private var built: BuiltBundle?
    private var running: Task<ReloadReport, Never>?
    private var next: Task<ReloadReport, Never>?

    init(
        _ state: HostState,
        source: ProjectSource,
        gateway: Gateway,
        certificates: GatewayCertificates?,
        endpoints: [EndpointRoute],
        triggers: TriggerSet,
        manager: ServiceManager?
    ) {
        self.state = state
        self.source = source
        self.gateway = gateway
        self.certificates = certificates
        self.endpoints = endpoints
        self.triggers = triggers
        self.manager = manager
    }

    /// Reloads; `cause` is for the log.
    ///
    /// One at a time. Whoever asks while one runs shares the one after it, which sees the files as they are
    /// then.
    package func reload(_ cause: String) async -> ReloadReport {
        if let next { return await next.value }
        let before = running
        let task = Task {
            _ = await before?.value
            self.begun()
            return await self.perform(cause)
        }
        next = task
        return await task.value
    }

    /// Puts what was built in force: only functions whose code is another get new workers.
    ///
    /// The bundle that the host began with stays where it was made from the same sources: then the build tells what
    /// each function's code in it is. Returns the functions that have new workers; nil where it was refused.
    package func install(_ built: BuiltBundle) async -> [String]? {
        let old = state.live.current.bundle
        let began = SourceTree.Mark(source.bundle)?.changed ?? 0
        if self.built == nil, let objects = built.objects, old.prints.isEmpty,
            old.isCopy(of: built.executable) || old.isCopy(of: source.bundle) && objects.newestSource <= began
        {
            var known = old
            known.prints = prints(objects, state.live.current.project)
            state.live.note(known)
            return []
        }
        self.built = built
        switch await reload("sources were built") {
        case .done(_, let change, _): return change.changed + change.added
        case .unchanged: return []
        case .refused, .rolledBack: return nil
        }
    }

    private func prints(_ objects: ObjectPrints, _ project: Project) -> [String: String] {
        // A function's module has the name of the folder in which its manifest lies.
        let modules = project.manifests.map { manifest in
            (manifest.name, String(manifest.file.split(separator: "/").dropLast().last ?? ""))
        }
        let listing = [source.build?.product ?? "", "Catalog", "FunctionCatalog"]
        return objects.prints(
            of: Dictionary(modules, uniquingKeysWith: { first, _ in first }),
            listing: Set(listing)
        )
    }

    private func begun() {
        running = next
        next = nil
    }

    private func perform(_ cause: String) async -> ReloadReport {
        let begin = Monotonic.now
        manager?.reloading()
        await certificates?.reload()
        let report: ReloadReport
        do {
            report = try await change(since: begin)
        } catch let error as ConfigurationError {
            report = .refused(error.problems)
        } catch {
            report = .rolledBack(["\(error)"])
        }
        note(report, cause)
        manager?.ready(state.status)
        return report
    }

    private func change(since begin: Monotonic) async throws -> ReloadReport {
        let old = state.live.current
        var source = self.source
        if let built { source.bundle = built.executable }
        var new = try await source.generation(old.number + 1, known: old.bundle)
        if let objects = built?.objects { new.bundle.prints = prints(objects, new.project) }
        let change = GenerationChange(from: old, to: new)
        if change.isEmpty {
            state.live.note(new.bundle)
            return .unchanged(old)
        }
        let router: Router
        do throws(ServerError) {
            router = try Router(functions: new.project.manifests, endpoints: endpoints)
        } catch {
            let hint = "change one of the routes"
            throw ConfigurationError([Problem(file: source.functions, message: error.message, hint: hint)])
        }
        let names = Set(change.changed + change.added)
        let pools = new.project.manifests.filter { names.contains($0.name) }.map {
            state.factory.pool($0, of: new.bundle)
        }
        let faults = await warm(pools)
        guard faults.isEmpty else {
            await withDiscardingTaskGroup { group in
                for pool in pools { group.addTask { try? await pool.drain(grace: .zero).get() } }
            }
            return .rolledBack(faults)
        }
        await putInForce(new, pools, router, change)
        // A bundle was read whole, and a project's files: the heap need not keep that room.
        startThread("idle-memory") { IdleMemory.release() }
        return .done(new, change, after: .now - begin)
    }

    /// Starts what the new generation needs at once, and returns what went wrong.
    ///
    /// That is `min` of each function, and as many as the old one has at work, one at least where it has any.
    private func warm(_ pools: [FunctionPool]) async -> [String] {
        let old = state.dispatcher.pools
        return await withTaskGroup(of: String?.self) { group in
            for pool in pools {
                let before = old[pool.manifest.name]
                group.addTask {
                    var count = pool.manifest.scale.min
                    if let status = try? await before?.status().get(), status.workers > 0 {
                        count = max(count, status.workers - status.idle, 1)
                    }
                    guard count > 0 else { return nil }
                    do {
                        try await pool.warm(count).get()
                        return nil
                    } catch {
                        return "\(error)"
                    }
                }
            }
            var faults: [String] = []
            for await fault in group { if let fault { faults.append(fault) } }
            return faults.sorted()
        }
    }

    /// Nothing here waits for anything but this actor's own parts, so the new generation is in force for
    /// everybody within microseconds: first the pools that new routes lead to, then the routes, then what no
    /// route leads to any more.
    private func putInForce(
        _ new: Generation,
        _ pools: [FunctionPool],
        _ router: Router,
        _ change: GenerationChange
    ) async {
        state.factory.shares?.replace(reserved: new.project.reserved)
        state.dispatcher.put(pools)
        pools.forEach { $0.start() }
        gateway.replace(router: router)
        state.live.replace(new)
        state.manifests.replace(new.project.manifests)
        state.tokens.replace(rotationOf: new.project.book.rotationOf)
        state.sessions.replace(new.project.book)
        state.scheduler.replace(new.project)
        state.dispatcher.remove(change.removed)
        await triggers.replace(new.project.manifests)
        // What waits for a function that was at its limit, or was not there, may be run now.
        state.stores.journal.jobs.due.wake()
    }

    private func note(_ report: ReloadReport, _ cause: String) {
        func note(_ level: LogLevel, _ message: String, _ fields: [(String, JSON)] = []) {
            state.telemetry.note(level, message, [("cause", .string(cause))] + fields)
        }
        if case .object(var told) = report.json {
            told["cause"] = .string(cause)
            state.telemetry.activity.tell(.reload(.object(told)))
        }
        switch report {
        case .done(let generation, let change, let time):
            let names = (change.changed + change.added).map { JSON.string($0) }
            note(
                .info,
                "reloaded",
                [
                    ("generation", .integer(Int64(generation.number))),
                    ("bundle", .string(String(generation.bundle.hash.prefix(16)))),
                    ("functions", .array(names)),
                    ("removed", .array(change.removed.map { .string($0) })),
                    ("schedules", .bool(change.schedules)), ("duration_ms", .number(time.milliseconds)),
                ]
            )
        case .unchanged: note(.info, "nothing to reload")
        case .refused(let problems):
            for problem in problems {
                note(.error, "reload refused", [("problem", .string(problem.description))])
            }
        case .rolledBack(let reasons):
            for reason in reasons { note(.error, "reload taken back", [("reason", .string(reason))]) }
        }
    }
}
