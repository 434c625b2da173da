import FunctionCore
import Invocations
import LambdaEvents

/// What a Lambda runtime is told of its function.
package struct LambdaFunction: Sendable {
    package var name: String
    package var foreign: Manifest.Foreign
    package var memoryMiB: Int
    /// How many events one worker takes at once.
    package var concurrency: Int
    /// What the manifest grants of the environment.
    package var environment: [String: String]
    /// Methods and patterns of its routes.
    private var routes: [(method: String, path: String)]

    package init?(_ manifest: Manifest) {
        guard let foreign = manifest.foreign else { return nil }
        name = manifest.name
        self.foreign = foreign
        memoryMiB = manifest.limits.memoryMiB
        concurrency = manifest.limits.perWorker
        environment = manifest.environment
        routes = manifest.routes.map { ($0.method, $0.path) }
    }

    /// The pattern of the route by which a request came; of several the one with the fewest names in it.
    func route(of request: HTTPRequest) -> String? {
        let path = request.path.split(separator: "/", omittingEmptySubsequences: false)
        let matching = routes.filter { route in
            guard route.method == request.method else { return false }
            let parts = route.path.split(separator: "/", omittingEmptySubsequences: false)
            let isWhole =
                parts.last?.hasSuffix("*}") == true ? parts.count <= path.count : parts.count == path.count
            return isWhole && zip(parts, path).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }
        return matching.min { names(in: $0.path) < names(in: $1.path) }?.path
    }

    private func names(in pattern: String) -> Int { pattern.utf8.count { $0 == UInt8(ascii: "{") } }

    /// The environment of one worker's process, as AWS documents it.
    ///
    /// `stream` names the worker in the log; `directory` is its own for temporary files, where it has one. What the
    /// manifest grants comes over what stands for credentials and region, but over nothing that tells the runtime of
    /// itself: the manifest's reader refuses that.
    func variables(endpoint: String, path: String, stream: String, directory: String) -> [String: String] {
        var result = [
            "PATH": path,
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": LambdaPlace.host.region,
            "AWS_DEFAULT_REGION": LambdaPlace.host.region,
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_SESSION_TOKEN": "none",
            "AWS_EXECUTION_ENV": "AWS_Lambda_provided.al2023",
            "AWS_LAMBDA_LOG_FORMAT": "Text",
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
        ]
        result.merge(environment) { _, granted in granted }
        result["_HANDLER"] = foreign.handler
        result["LAMBDA_TASK_ROOT"] = foreign.folder
        result["LAMBDA_RUNTIME_DIR"] = foreign.folder
        result["AWS_LAMBDA_RUNTIME_API"] = endpoint
        result["AWS_LAMBDA_FUNCTION_NAME"] = name
        result["AWS_LAMBDA_FUNCTION_VERSION"] = "$LATEST"
        result["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = String(memoryMiB)
        result["AWS_LAMBDA_LOG_GROUP_NAME"] = "/aws/lambda/\(name)"
        result["AWS_LAMBDA_LOG_STREAM_NAME"] = stream
        result["AWS_LAMBDA_INITIALIZATION_TYPE"] =
            concurrency > 1 ? "lambda-managed-instances" : "on-demand"
        if concurrency > 1 { result["AWS_LAMBDA_MAX_CONCURRENCY"] = String(concurrency) }
        if !directory.isEmpty { result["TMPDIR"] = directory }
        return result
    }
}
