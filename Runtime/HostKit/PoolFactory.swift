import Invocations
import NIOCore
import WorkerPool

/// Makes the pools of a generation.
struct PoolFactory: Sendable {
    let bindings: BindingHost
    let group: any EventLoopGroup
    let clock: VirtualClock
    let telemetry: Telemetry
    let isDevelopment: Bool

    /// A pool that has not started.
    func pool(_ manifest: Manifest, of bundle: Bundle) -> FunctionPool {
        let (clock, telemetry) = (clock, telemetry)
        let program = WorkerProgram(
            executable: bundle.executable,
            hash: bundle.hash,
            environment: [
                "SWIFT_BACKTRACE": isDevelopment ? "enable=yes,color=no,interactive=no" : "enable=no"
            ]
        )
        return FunctionPool(
            manifest: manifest,
            program: program,
            bindings: bindings,
            loop: group.next(),
            clock: { clock.reading },
            report: { telemetry.pool($0) }
        )
    }
}
