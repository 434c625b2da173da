import FunctionCore
import Glibc
import HTTPTrigger
import Invocations
import LambdaAPI
import LambdaEvents

/// GetFunction, GetFunctionConfiguration and ListFunctions of the Lambda API.
struct LambdaFunctionsAPI {
    let host: HostState

    var routes: [EndpointRoute] {
        [
            LambdaRoute.make("GET", "/2015-03-31/functions/{name}") { request throws(LambdaError) in
                .json(try self.function(request).whole)
            },
            LambdaRoute.make("GET", "/2015-03-31/functions/{name}/configuration") {
                request throws(LambdaError) in .json(try self.function(request).configuration)
            },
            LambdaRoute.make("GET", "/2015-03-31/functions/", self.list),
            LambdaRoute.make("GET", "/2015-03-31/functions", self.list),
        ]
    }

    private func function(_ request: EndpointRequest) throws(LambdaError) -> FunctionDescription {
        let name = try FunctionName(
            request.parameters["name"] ?? "",
            qualifier: request.query["Qualifier"]
        )
        let manifest = try host.manifest(of: name)
        return FunctionDescription(manifest, code(of: manifest))
    }

    @Sendable private func list(_ request: EndpointRequest) throws(LambdaError) -> EndpointResponse {
        .json(
            try FunctionDescription.page(
                host.project.manifests.map { FunctionDescription($0, code(of: $0)) },
                marker: request.query["Marker"],
                maxItems: request.query["MaxItems"]
            )
        )
    }

    private func code(of manifest: Manifest) -> FunctionDescription.Code {
        if let foreign = manifest.foreign { return ForeignFiles.code(in: foreign.folder) }
        let bundle = host.live.current.bundle
        var facts = stat()
        stat(bundle.executable, &facts)
        let digits = Array(bundle.hash)
        let hash = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
        let changed = Instant(nanoseconds: Int64(facts.st_mtim.tv_sec) * 1_000_000_000)
        return FunctionDescription.Code(bytes: Int(facts.st_size), hash: hash, changed: changed)
    }
}

extension HostState {
    /// The manifest that a name means; a qualifier must be one of its operations.
    func manifest(of name: FunctionName) throws(LambdaError) -> Manifest {
        guard let manifest = manifests[name.name] else {
            throw .notFound(
                LambdaPlace.host.arn(of: name.name, qualifier: name.qualifier),
                known: Array(manifests.all.keys)
            )
        }
        guard let qualifier = name.qualifier else { return manifest }
        let operations = manifest.operations
        guard operations.contains(qualifier) else {
            throw .notFound(
                LambdaPlace.host.arn(of: name.name, qualifier: qualifier),
                known: operations.map { "\(name.name):\($0)" }
            )
        }
        return manifest
    }
}

extension Manifest {
    /// The operations that its triggers name.
    var operations: Set<String> {
        Set(
            routes.map(\.operation) + streams.map(\.operation) + lists.map(\.operation)
                + channels.map(\.operation) + webSockets.map(\.operation)
        ).subtracting([""])
    }
}
