import FunctionCore
import Invocations

extension ManifestReader {
    /// What the environment of a Lambda runtime holds of itself.
    private static let reserved = [
        "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
    ]

    /// Reads who runs the function: the bundle, or a program that speaks the Lambda Runtime API.
    static func readRuntime(
        _ members: [String: SettingsNode],
        _ root: SettingsNode,
        _ manifest: inout Manifest
    ) {
        guard members["runtime"]?.word(["native", "lambda"]) == "lambda" else {
            for name in ["command", "handler"] {
                members[name]?.wrong("it is for `runtime: lambda` alone", hint: "say so, or take it out")
            }
            return
        }
        refuseNative(members, manifest)
        let example = "[python3, -m, awslambdaric, app.handler]"
        guard let node = members["command"] ?? root.missing("command", example) else { return }
        let command = node.list.compactMap { $0.string() }
        guard let program = command.first, !program.isEmpty else {
            return node.wrong("no program is named", hint: "write command: \(example)")
        }
        let folder = manifest.file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        manifest.foreign = Manifest.Foreign(
            command: command,
            handler: members["handler"]?.string() ?? "",
            folder: folder.isEmpty ? "." : folder.joined(separator: "/"),
            line: node.line
        )
    }

    /// What only a function of the bundle can have.
    private static func refuseNative(_ members: [String: SettingsNode], _ manifest: Manifest) {
        if !manifest.grants.isEmpty {
            members["bindings"]?.wrong(
                "bindings are for native functions: a Lambda runtime has no channel for their calls",
                hint: "take them out, and call the host over HTTP"
            )
        }
        if manifest.batch != nil {
            members["batch"]?.wrong(
                "a Lambda runtime takes one event at a time",
                hint: "take it out; entries of a stream come together by the trigger's `batch`"
            )
        }
        if !manifest.webSockets.isEmpty {
            members["triggers"]?.wrong(
                "`websocket` is for native functions",
                hint: "take it out, or write the function for the bundle"
            )
        }
        for (name, value) in members["environment"]?.entries ?? [] where reserved.contains(name) {
            value.wrong("the runtime's environment has `\(name)` of itself", hint: "choose another name")
        }
    }
}
