import FunctionCore
import Invocations
import Isolation

/// What a worker is started from.
package struct WorkerProgram: Sendable {
    /// The bundle's executable: the host's own copy, which a rebuild does not touch.
    package var executable: String
    /// The hash of its content.
    package var hash: String
    /// What a worker's process gets of the environment besides what the manifest grants.
    package var environment: [String: String]
    /// What isolates workers; nil for their plain limits alone.
    package var isolation: WorkerIsolation?
    /// What forks workers; nil to start each by itself.
    package var template: WorkerTemplate?
    /// What starts workers and speaks for them, where they are no workers of the bundle.
    package var adapter: (any WorkerAdapter)?

    package init(
        executable: String,
        hash: String,
        environment: [String: String] = [:],
        isolation: WorkerIsolation? = nil,
        template: WorkerTemplate? = nil,
        adapter: (any WorkerAdapter)? = nil
    ) {
        self.executable = executable
        self.hash = hash
        self.environment = environment
        self.isolation = isolation
        self.template = template
        self.adapter = adapter
    }
}

extension WorkerIsolation.Needs {
    /// What a function's manifest says.
    init(_ manifest: Manifest) {
        self.init(
            function: manifest.name,
            memory: manifest.limits.memoryMiB << 20,
            openFiles: manifest.limits.openFiles,
            cpuSeconds: manifest.limits.cpuSeconds,
            network: manifest.permissions.network,
            fork: manifest.permissions.fork
        )
    }
}

/// The wall clock as workers see it: at `monotonic` it was `wall`, and it runs `speed` times as fast as the
/// real one.
package struct ClockReading: Sendable {
    package var wall: Instant
    package var monotonic: Monotonic
    package var speed: Double

    package init(wall: Instant, monotonic: Monotonic, speed: Double) {
        self.wall = wall
        self.monotonic = monotonic
        self.speed = speed
    }
}
