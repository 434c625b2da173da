import FunctionCore
import Invocations
import NIOCore
import NIOPosix
import TLS

/// The gateway's certificates, looked at every few seconds, with a word in the log when they change.
struct GatewayCertificates: Sendable {
    private let store: CertificateStore
    private let clock: any HostClock
    private let telemetry: Telemetry

    init(_ store: CertificateStore, clock: any HostClock, telemetry: Telemetry) {
        self.store = store
        self.clock = clock
        self.telemetry = telemetry
        warn(store.warnings(now: clock.now))
    }

    var layer: SecureLayer { SecureLayer(store) }

    /// Begins to look; the task returned ends it.
    func watch(on loop: any EventLoop) -> RepeatedTask {
        store.watch(on: loop) { tell($0) }
    }

    /// Reads the files again, whether they look changed or not.
    func reload() async {
        let reload = try? await NIOThreadPool.singleton.runIfActive { store.reload(forced: true) }
        if let reload { tell(reload) }
    }

    private func tell(_ reload: CertificateStore.Reload) {
        switch reload {
        case .unchanged: return
        case .renewed:
            telemetry.note(.info, "certificates renewed")
            warn(store.warnings(now: clock.now))
        case .refused(let reason):
            telemetry.note(.error, "certificates refused; the old ones stay", [("reason", .string(reason))])
        }
    }

    private func warn(_ warnings: [String]) {
        for warning in warnings {
            telemetry.note(.warning, "certificate", [("reason", .string(warning))])
        }
    }
}
