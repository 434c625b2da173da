import FunctionCore
import Invocations
import LambdaEvents
import NIOHTTP1
import Wire

/// What goes before an event's body.
enum RuntimeHeaders {
    /// The fields for an invocation; those that have no value are left out.
    ///
    /// The deadline is by the machine's real clock: a foreign runtime reads no other.
    static func event(
        _ served: RuntimeWorker.Served,
        of function: LambdaFunction,
        at now: Instant
    ) -> HTTPHeaders {
        let deadline = now + (served.deadline - Monotonic.now)
        var headers: HTTPHeaders = [
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": served.request,
            "Lambda-Runtime-Deadline-Ms": String(deadline.nanoseconds / 1_000_000),
            "Lambda-Runtime-Invoked-Function-Arn": LambdaPlace.host.arn(of: function.name),
            "Lambda-Runtime-Trace-Id": served.head.trace.xray,
        ]
        // Clients look for either name.
        if let context = served.head.clientContext {
            headers.add(name: "Lambda-Runtime-Client-Context", value: oneLine(context))
            headers.add(name: "X-Amz-Client-Context", value: oneLine(context))
        }
        return headers
    }

    /// A text as a field's value can hold it: JSON between whose members lines may end.
    private static func oneLine(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 < 32 || $0 == 127 ? 32 : $0 }, as: UTF8.self)
    }
}
