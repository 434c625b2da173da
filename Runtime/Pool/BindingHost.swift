import FunctionCore
import Invocations

/// Checks each binding call and hands it to its service: is it granted, is the fencing token current, is
/// there time left.
package struct BindingHost: Sendable {
    /// Whether a fencing token is the current one of its rotation.
    package typealias TokenCheck = @Sendable (_ function: String, _ token: UInt64) -> Bool

    private let services: [String: any BindingService]
    private let tokenIsCurrent: TokenCheck

    package init(_ services: [any BindingService], tokenIsCurrent: @escaping TokenCheck = { _, _ in true }) {
        self.services = Dictionary(services.map { ($0.binding, $0) }, uniquingKeysWith: { _, last in last })
        self.tokenIsCurrent = tokenIsCurrent
    }

    /// The bindings there are, sorted.
    package var names: [String] { services.keys.sorted() }

    /// Answers a call.
    ///
    /// - Throws: `FunctionError` for what is refused; what the service throws.
    package func call(
        _ binding: String,
        _ call: BindingCall,
        manifest: Manifest,
        answer: any BindingAnswering
    ) async throws {
        guard manifest.grants(binding) else {
            throw FunctionError(
                status: 403,
                code: "binding_not_granted",
                message:
                    "\(manifest.name) is not granted `\(binding)`; add it to `bindings:` in \(manifest.file)",
                retry: .never
            )
        }
        guard let service = services[binding] else {
            throw FunctionError(
                status: 501,
                code: "binding_not_available",
                message: "this host has no binding `\(binding)`; it has \(names.joined(separator: ", "))",
                retry: .never
            )
        }
        if let token = call.origin.fencingToken, !tokenIsCurrent(call.origin.function, token) {
            throw FunctionError(
                status: 409,
                code: "fencing_token_stale",
                message: "the window has passed to another function; what is begun after it must not be done",
                retry: .never
            )
        }
        guard call.origin.deadline > Monotonic.now else {
            throw FunctionError(status: 504, code: "timed_out", message: "the invocation's time is over")
        }
        try await service.call(call, answer: answer)
    }

    /// Tells all services that an invocation is over.
    package func ended(_ invocation: String) async {
        for service in services.values { await service.invocationEnded(invocation, final: true) }
    }

    /// What a handler may know of a service's error.
    ///
    /// Texts of unknown errors stay in the host.
    package static func describe(_ error: any Error) -> FunctionError {
        switch error {
        case let error as FunctionError: error
        case is CancellationError:
            FunctionError(status: 499, code: "cancelled", message: "the call was given up")
        default:
            FunctionError(status: 500, code: "internal", message: "the service failed; see the host's log")
        }
    }
}
