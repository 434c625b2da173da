import FunctionCore
import Processes
import Storage
import Synchronization

/// What a build made, for whoever puts it in force.
package struct BuiltBundle: Sendable {
    /// The executable.
    package var executable: String
    /// The objects that it was linked from; nil where they could not be read.
    package var objects: ObjectPrints?

    package init(executable: String, objects: ObjectPrints?) {
        self.executable = executable
        self.objects = objects
    }
}

/// Builds a package's functions in the background whenever a source is saved.
///
/// The first build comes at once, at low priority: after it a changed line is compiled in seconds. Bounds: one build
/// at a time, each 15 minutes at most; its output's last megabyte is kept.
package struct BackgroundBuild: Sendable {
    private let plan: BuildPlan
    private let environment: [String: String]
    private let book: BuildBook
    private let wait: @Sendable (Duration, @escaping @Sendable () -> Void) -> Void

    /// `wait` calls its closure once, after that time.
    package init(
        _ plan: BuildPlan,
        environment: [String: String],
        book: BuildBook,
        wait: @escaping @Sendable (Duration, @escaping @Sendable () -> Void) -> Void
    ) {
        self.plan = plan
        self.environment = environment
        self.book = book
        self.wait = wait
    }

    private enum Fact: Sendable {
        case looked
        case time
        case ended(ChildOutput?, since: Monotonic)
    }

    /// Runs until the task is cancelled; then the build that runs is killed.
    ///
    /// `built` puts a new bundle in force and returns the functions that got new workers, or nil where it could not;
    /// it tells the reason itself. What it is handed first is the build at the start, which need not be of anything
    /// new.
    package func run(_ built: @escaping @Sendable (BuiltBundle) async -> [String]?) async {
        let (facts, feed) = AsyncStream.makeStream(of: Fact.self, bufferingPolicy: .bufferingNewest(1024))
        let watch = FolderWatch { feed.yield(.looked) }
        defer { watch?.end() }
        var tree = SourceTree(plan.package)
        watch?.add(tree.folders)
        var machine = BuildMachine()
        var build: Task<Void, Never>?
        var isFirst = true
        perform(machine.saved(.now), feed)
        poll(every: watch == nil ? .seconds(1) : .seconds(5), feed)
        for await fact in facts {
            let now = Monotonic.now
            var actions: [BuildMachine.Action]
            switch fact {
            case .looked:
                let next = SourceTree(plan.package)
                if next == tree {
                    actions = machine.passed(now)
                } else {
                    tree = next
                    watch?.add(tree.folders)
                    actions = machine.saved(now)
                }
            case .time: actions = machine.passed(now)
            case .ended(let output, let began):
                build = nil
                actions = machine.ended(now)
                if !machine.isBusy { await settle(output, since: began, built) }
            }
            for action in actions {
                switch action {
                case .start:
                    book.set(.building)
                    build = start(isUrgent: !isFirst, feed)
                    isFirst = false
                case .cancel: build?.cancel()
                case .wake: perform([action], feed)
                }
            }
        }
        build?.cancel()
        await build?.value
    }

    /// A look now and then, for file systems that tell of nothing.
    private func poll(every interval: Duration, _ feed: AsyncStream<Fact>.Continuation) {
        wait(interval) {
            if case .terminated = feed.yield(.looked) { return }
            poll(every: interval, feed)
        }
    }

    private func perform(_ actions: [BuildMachine.Action], _ feed: AsyncStream<Fact>.Continuation) {
        for case .wake(let at) in actions {
            wait(max(.zero, at - .now)) { feed.yield(.time) }
        }
    }

    private func start(
        isUrgent: Bool,
        _ feed: AsyncStream<Fact>.Continuation
    ) -> Task<Void, Never> {
        let command = plan.command(environment, isUrgent: isUrgent)
        return Task {
            let began = Monotonic.now
            let output = try? await ChildProcess.run(command, timeout: .seconds(900))
            feed.yield(.ended(output, since: began))
        }
    }

    private func settle(
        _ output: ChildOutput?,
        since began: Monotonic,
        _ built: @escaping @Sendable (BuiltBundle) async -> [String]?
    ) async {
        guard let output, output.status.succeeded else {
            let text =
                output.map { $0.output.text + "\n" + $0.errors.text } ?? "error: swift cannot be started"
            let errors = BuildDiagnostic.errors(in: text, package: plan.package)
            return book.set(.failed(errors, after: .now - began))
        }
        let plan = self.plan
        let objects = await withCheckedContinuation { continuation in
            startThread("objects") { continuation.resume(returning: ObjectPrints(list: plan.objectList)) }
        }
        let bundle = BuiltBundle(executable: plan.output, objects: objects)
        guard let functions = await built(bundle) else { return book.set(.idle) }
        book.set(.done(functions: functions, after: .now - began))
    }
}
