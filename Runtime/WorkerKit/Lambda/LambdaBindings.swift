import FunctionCore
import LambdaEvents
import Wire

/// How functions that run on AWS Lambda reach the world: by the bindings of a Swiftlet host, over HTTPS, where one is
/// named; without one every call is refused with the remedy.
enum LambdaBindings: Sendable {
    case none
    case host(BindingsHost)
    /// What is named cannot be used; the sentence says why.
    case faulty(String)

    /// From `SWIFTLET_BINDINGS_URL`, `SWIFTLET_BINDINGS_TOKEN` and, where the host's certificate is not signed by
    /// somebody whom the system trusts, `SWIFTLET_BINDINGS_CA`.
    init(_ variables: [String: String]) {
        guard let url = variables["SWIFTLET_BINDINGS_URL"], !url.isEmpty else {
            self = .none
            return
        }
        let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        let isLocal = local.contains { url == $0 || url.hasPrefix("\($0):") || url.hasPrefix("\($0)/") }
        guard url.hasPrefix("https://") || isLocal else {
            self = .faulty("SWIFTLET_BINDINGS_URL must begin with https://, as a token goes with each call")
            return
        }
        guard let token = variables["SWIFTLET_BINDINGS_TOKEN"], !token.isEmpty, isFieldValue(token) else {
            self = .faulty("SWIFTLET_BINDINGS_TOKEN is missing: name the host's bindings.token")
            return
        }
        var root = url[...]
        while root.last == "/" { root.removeLast() }
        let authorities = variables["SWIFTLET_BINDINGS_CA"].flatMap { $0.isEmpty ? nil : $0 }
        self = .host(
            BindingsHost(url: "\(root)\(RemoteCallFields.path)", token: token, authorities: authorities)
        )
    }

    /// The bindings of one invocation.
    func caller(for origin: CallerOrigin) -> any BindingCaller {
        switch self {
        case .host(let host): RemoteCaller(host: host, origin: origin)
        case .none:
            RefusingCaller(
                reason: "no host answers on AWS Lambda; name one by SWIFTLET_BINDINGS_URL and "
                    + "SWIFTLET_BINDINGS_TOKEN, or deploy to Lambda only operations that call no binding"
            )
        case .faulty(let reason): RefusingCaller(reason: reason)
        }
    }
}

/// A host that answers calls from elsewhere.
struct BindingsHost: Sendable {
    var url: String
    var token: String
    /// A file of certificates.
    var authorities: String?
}

/// On whose behalf calls are made.
struct CallerOrigin: Sendable {
    var function: String
    var invocation: String
    var attempt: Int
    var principal: String?
    var trace: TraceContext
    var deadline: Monotonic
}

/// Refuses every call.
private struct RefusingCaller: BindingCaller {
    let reason: String

    func call(_ request: BindingRequest) async throws -> BindingReply {
        throw FunctionError(
            status: 501,
            code: "binding_unavailable",
            message: "`\(request.binding).\(request.method)` is not there: \(reason)",
            retry: .never
        )
    }
}

/// Sends the calls of one invocation to a host.
private struct RemoteCaller: BindingCaller {
    let host: BindingsHost
    let origin: CallerOrigin

    func call(_ request: BindingRequest) async throws -> BindingReply {
        try Task.checkCancellation()
        let remaining = origin.deadline - .now
        guard remaining > .zero else {
            throw FunctionError(status: 504, code: "timed_out", message: "the invocation's time is over")
        }
        let size = request.body.count + request.arguments.count
        guard size <= Frame.payloadMax - 1024 else {
            let message = "the call carries \(size) bytes, arguments and body; 16 MiB are allowed"
            throw FunctionError(status: 413, code: "call_too_large", message: message, retry: .never)
        }
        let head = CallHead(
            invocation: 0,
            binding: request.binding,
            method: request.method,
            arguments: request.arguments
        )
        var frame = WireWriter()
        head.write(to: &frame, id: Frame.callBit, body: request.body)
        let fields = RemoteCallFields(
            function: origin.function,
            invocation: origin.invocation,
            attempt: origin.attempt,
            principal: origin.principal,
            trace: origin.trace,
            timeout: remaining
        )
        let call = RemoteCall()
        call.send(frame.bytes, fields.headers, to: host, within: remaining)
        let value = try await withTaskCancellationHandler {
            try await call.answer.value()
        } onCancel: {
            call.giveUp()
        }
        let hold = RemoteCallHold(call)
        return BindingReply(
            value: value,
            body: BindingBody {
                try await withTaskCancellationHandler {
                    guard let piece = try await hold.call.answer.piece() else { return nil }
                    hold.call.taken(piece.count)
                    return piece
                } onCancel: {
                    hold.call.giveUp()
                }
            }
        )
    }
}
