import Fetch
import FunctionCore
import Invocations

/// The binding `images`: one picture by the images dialect, its bytes fetched at once and looked at.
package struct ImagesService: BindingService {
    package let binding = "images"
    /// The largest picture.
    package static let pictureLimit = 8 * 1024 * 1024
    /// Base64 makes a third more of it, and the reply has other members.
    private static let replyLimit = 12 * 1024 * 1024
    private static let pieceSize = 64 * 1024
    private let client: ProviderClient

    package init(_ client: ProviderClient) {
        self.client = client
    }

    package func call(_ call: BindingCall, answer: any BindingAnswering) async throws {
        guard call.method == "generate" else { throw call.unknownMethod(of: binding) }
        let request = try call.decode(ImageRequest.self)
        let endpoint = client.endpoint
        let model = request.model ?? endpoint.imageModel
        let (result, offline) = try await client.post(
            "/images/generations",
            try ImagesDialect.body(request, model: model),
            for: call.origin,
            responseLimit: ImagesService.replyLimit
        ) { response in
            let offline = endpoint.offline || client.isOffline(response)
            let body = try await response.body.collect()
            return (try ImagesDialect.result(body, secret: endpoint.apiKey), offline)
        }
        call.origin.facts.tell("gen_ai.request.model", .string(String(model.prefix(64))))
        let bytes: Bytes
        switch result.picture {
        case .bytes(let given): bytes = given
        // A provider's URL dies within the hour, so nobody else ever sees it.
        case .url(let url):
            bytes = try await client.download(url, for: call.origin, limit: ImagesService.pictureLimit)
        }
        guard bytes.count <= ImagesService.pictureLimit, let format = PictureFormat(bytes) else {
            throw FunctionError(
                status: 502,
                code: "bad_image",
                message: "the provider's \(bytes.count) bytes are no PNG, JPEG or WebP of at most 8 MiB"
            )
        }
        try answer.send(
            encoding: ImageInfo(
                contentType: format.contentType,
                width: format.width,
                height: format.height,
                model: model,
                offline: offline,
                revisedPrompt: result.revisedPrompt
            )
        )
        for start in stride(from: 0, to: bytes.count, by: ImagesService.pieceSize) {
            let end = min(start + ImagesService.pieceSize, bytes.count)
            try await answer.write(Bytes(Array(bytes.array[start..<end])))
        }
    }
}
