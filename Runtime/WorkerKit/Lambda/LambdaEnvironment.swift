import FunctionCore
import Glibc

/// What Lambda tells a runtime by its environment.
struct LambdaEnvironment: Sendable {
    /// Host and port of the Runtime API.
    var address: String
    /// The function that this process is, from `_HANDLER`.
    var function: String
    /// What it is asked for where the handler names it, as in `questionnaire.definitions`.
    var operation: String
    /// Where the bundle lies.
    var root: String
    /// How many invocations run at once, each got by a loop of its own.
    var concurrency: Int
    /// Whether streamed replies to Function URLs leave as they come: `SWIFTLET_INVOKE_MODE` says what the URL's
    /// `InvokeMode` says, as no event does.
    var streams: Bool
    var logsJSON: Bool
    var logLevel: LogLevel
    var bindings: LambdaBindings
    /// What the function sees.
    var settings: [String: String]

    /// The most loops that are begun, whatever is asked for.
    private static let concurrencyMax = 64

    /// Nil where this is no Lambda.
    init?(_ variables: [String: String]) {
        guard let address = variables["AWS_LAMBDA_RUNTIME_API"], !address.isEmpty else { return nil }
        self.address = address
        let handler = (variables["_HANDLER"] ?? "").split(separator: ".", maxSplits: 1)
        function = handler.first.map { String($0) } ?? ""
        operation = handler.count > 1 ? String(handler[1]) : ""
        root = variables["LAMBDA_TASK_ROOT"] ?? "."
        let wanted = variables["AWS_LAMBDA_MAX_CONCURRENCY"].flatMap { Int($0) } ?? 1
        concurrency = min(max(wanted, 1), LambdaEnvironment.concurrencyMax)
        streams = variables["SWIFTLET_INVOKE_MODE"] != "BUFFERED"
        logsJSON = variables["AWS_LAMBDA_LOG_FORMAT"]?.lowercased() == "json"
        logLevel =
            switch variables["AWS_LAMBDA_LOG_LEVEL"]?.uppercased() {
            case "TRACE", "DEBUG": .debug
            case "WARN": .warning
            case "ERROR", "FATAL": .error
            default: .info
            }
        bindings = LambdaBindings(variables)
        // The platform's own, the account's keys among them, are not the function's, nor is the bindings' token.
        let hidden = ["AWS_", "LAMBDA_", "_", "SWIFTLET_BINDINGS_"]
        settings = variables.filter { name, _ in !hidden.contains { name.hasPrefix($0) } }
    }

    /// The process's variables.
    static func variables() -> [String: String] {
        var variables: [String: String] = [:]
        for line in (readFile("/proc/self/environ") ?? Bytes()).array.split(separator: 0) {
            let pair = line.split(separator: 61, maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            variables[String(decoding: pair[0], as: UTF8.self)] = String(decoding: pair[1], as: UTF8.self)
        }
        return variables
    }
}

/// A whole file, or nil where it cannot be read.
func readFile(_ path: String) -> Bytes? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    defer { buffer.deallocate() }
    var all: [UInt8] = []
    while true {
        let bytes = readSome(file, into: buffer)
        if bytes.isEmpty { return Bytes(all) }
        all += bytes
    }
}
