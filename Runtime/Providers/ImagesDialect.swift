import FunctionCore

/// Requests and replies of `POST /images/generations`, with what each family of models knows.
///
/// A parameter is sent only where the model's row says that it is known: the newer models refuse the older
/// ones'.
package enum ImagesDialect {
    /// What a family of models takes and gives.
    package struct Family: Sendable, Hashable {
        /// The sizes that our three map to: square, wide, tall.
        package var square: String
        package var wide: String
        package var tall: String
        /// The longest prompt, in characters.
        package var promptLimit: Int
        /// Whether results come as URLs unless they are asked for otherwise.
        package var answersWithURL: Bool

        static let gptImage = Family(
            square: "1024x1024",
            wide: "1536x1024",
            tall: "1024x1536",
            promptLimit: 32_000,
            answersWithURL: false
        )
        static let dallE3 = Family(
            square: "1024x1024",
            wide: "1792x1024",
            tall: "1024x1792",
            promptLimit: 4_000,
            answersWithURL: true
        )
    }

    /// A model's family.
    ///
    /// An unknown model is asked as the current family is: with the fewest parameters.
    package static func family(of model: String) -> Family {
        model.hasPrefix("dall-e-3") ? .dallE3 : .gptImage
    }

    /// One picture as the provider gives it.
    package enum Picture: Sendable, Hashable {
        case bytes(Bytes)
        case url(String)
    }

    /// A reply's first picture, and the prompt as it was rewritten.
    package struct Result: Sendable, Hashable {
        package var picture: Picture
        package var revisedPrompt: String?
    }

    /// The body of a request.
    /// - Throws: `FunctionError` 422 for a prompt or size that the model does not take.
    package static func body(_ request: ImageRequest, model: String) throws -> JSON {
        let family = family(of: model)
        guard !request.prompt.isEmpty else {
            throw FunctionError.invalid("prompt", "required", "prompt must say what the picture shows")
        }
        guard request.prompt.count <= family.promptLimit else {
            let message =
                "prompt has \(request.prompt.count) characters; \(model) takes \(family.promptLimit)"
            throw FunctionError.invalid("prompt", "max_length", message)
        }
        let size: String
        switch request.size {
        case "1024x1024": size = family.square
        case "1536x1024": size = family.wide
        case "1024x1536": size = family.tall
        default:
            throw FunctionError.invalid("size", "enum", "size must be 1024x1024, 1536x1024 or 1024x1536")
        }
        return ["model": .string(model), "prompt": .string(request.prompt), "n": 1, "size": .string(size)]
    }

    /// Reads a reply: Base64, a URL or a `data:` URI, whichever the server prefers.
    package static func result(_ body: Bytes, secret: String?) throws -> Result {
        guard let json = try? JSON.parse(body) else { throw ProviderFailure.unreadable("it is no JSON") }
        if let error = json["error"], !error.isNull { throw ProviderFailure(event: error, secret: secret) }
        guard let first = json["data"]?[0] else { throw ProviderFailure.unreadable("it has no picture") }
        let revised = first["revised_prompt"]?.stringValue
        if let text = first["b64_json"]?.stringValue, !text.isEmpty {
            guard let bytes = Bytes(base64: text) else {
                throw ProviderFailure.unreadable("its Base64 is broken")
            }
            return Result(picture: .bytes(bytes), revisedPrompt: revised)
        }
        guard let url = first["url"]?.stringValue else {
            throw ProviderFailure.unreadable("it has no picture")
        }
        if let data = dataURI(url) { return Result(picture: .bytes(data), revisedPrompt: revised) }
        return Result(picture: .url(url), revisedPrompt: revised)
    }

    /// The bytes of a `data:` URI, or nil for any other text.
    package static func dataURI(_ text: String) -> Bytes? {
        guard text.hasPrefix("data:"), let comma = text.firstIndex(of: ",") else { return nil }
        let payload = String(text[text.index(after: comma)...])
        return text[..<comma].hasSuffix(";base64") ? Bytes(base64: payload) : Bytes(percentDecoded(payload))
    }
}
