import FunctionCore
import Invocations

/// A manifest's folder of files, answered by the gateway: validators, ranges, compressed neighbours.
///
/// Files are read where they lie, on the threads of `FileReader`, piece by piece as the client takes them.
/// How many requests are under way is bounded by `GatewaySettings.maxEndpointRequests`.
struct StaticFolder: HTTPEndpoint {
    let settings: Manifest.StaticFolder

    func respond(to request: EndpointRequest) async -> EndpointResponse {
        let name: String
        var mayBeFolder = false
        switch StaticName(request.target, below: settings.path) {
        case .refused: return StaticFolder.notFound
        case .mount: return redirect(request)
        case .folder(let folder): name = folder.isEmpty ? "index.html" : folder + "/index.html"
        case .entry(let entry):
            name = entry
            mayBeFolder = true
        }
        let type = MediaType.ofFile(name)
        let allowsCoded = request.takesGzip && MediaType.isCompressible(type)
        do {
            switch try await FolderFile.find(name, in: settings.folder, allowsCoded: allowsCoded) {
            case .nothing: return StaticFolder.notFound
            case .folder: return mayBeFolder ? redirect(request) : StaticFolder.notFound
            case .file(let file): return respond(to: request, with: file, name, type)
            }
        } catch {
            let message = "the file cannot be read at the moment; try again"
            return .failure(FunctionError(status: 503, code: "storage_failed", message: message))
        }
    }

    private func respond(
        to request: EndpointRequest,
        with file: FolderFile,
        _ name: String,
        _ type: String
    ) -> EndpointResponse {
        var headers = [
            Header("etag", file.validators.etag),
            Header("last-modified", DateField.text(file.validators.modified)),
            Header("cache-control", cacheControl(name)),
        ]
        if file.isCoded { headers.append(Header("vary", "Accept-Encoding")) }
        switch file.validators.verdict(request.headers) {
        case .notModified: return EndpointResponse(status: 304, headers: headers)
        case .failed:
            let message = "the file is not in the state that the request's condition names"
            return .failure(FunctionError(status: 412, code: "precondition_failed", message: message))
        case .proceed: break
        }
        headers += [
            Header("content-type", type), Header("accept-ranges", "bytes"),
            // A browser that guessed at types could make a page of what somebody uploaded.
            Header("x-content-type-options", "nosniff"),
        ]
        if file.isCoded { headers.append(Header("content-encoding", "gzip")) }
        let asks = !request.isHead && file.validators.allowsRange(request.headers)
        return .part(
            of: file.size,
            range: asks ? request.headers.first("range") : nil,
            headers: headers
        ) { .opened(file.reader, offset: $0, length: $1) }
    }

    /// A page keeps its name, so it is asked for anew each time; what a page refers to by a name with a hash
    /// need never be asked for again.
    private func cacheControl(_ name: String) -> String {
        let isPage = name.hasSuffix(".html") || name.hasSuffix(".htm")
        if !isPage, settings.immutable || StaticName.carriesHash(name) {
            return "public, max-age=31536000, immutable"
        }
        let seconds = settings.maxAge.components.seconds
        return seconds > 0 ? "public, max-age=\(seconds)" : "no-cache"
    }

    /// To the same path with a slash at its end, so that the links of the index lead below it.
    private func redirect(_ request: EndpointRequest) -> EndpointResponse {
        let path = request.target.prefix { $0 != "?" }
        let query = request.target[path.endIndex...]
        return EndpointResponse(status: 301, headers: [Header("location", "\(path)/\(query)")])
    }

    private static let notFound = EndpointResponse.failure(.notFound("there is no such file"))
}
