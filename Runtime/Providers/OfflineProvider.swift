import FunctionCore

/// A provider that needs no network and no key: OpenAI's dialects, answered from word lists and a hash of the
/// request.
///
/// It is honest about what it is: every answer has the header `x-swiftlet-offline: 1`, and the models are
/// called `offline-…`. Equal requests get equal answers. It is a function of the request; the server around
/// it is elsewhere.
package struct OfflineProvider: Sendable {
    /// Between two words of a streamed answer.
    private let wordPause: Duration
    /// The time that answers carry; fixed, so that equal requests get equal bytes.
    private let created: Int64

    package init(wordPause: Duration = .milliseconds(15), created: Int64 = 1_767_225_600) {
        self.wordPause = wordPause
        self.created = created
    }

    /// Answers one request.
    ///
    /// `path` may carry a query.
    package func answer(method: String, path: String, headers: [Header], body: Bytes) -> OfflineAnswer {
        let plain = String(path.prefix { $0 != "?" })
        switch (method, plain) {
        case ("GET", "/v1/models"):
            return models()
        case ("GET", _) where plain.hasPrefix(OfflineImages.path):
            return OfflineImages.file(plain)
        case ("POST", "/v1/chat/completions"):
            return parsed(body) { json in
                OfflineChat(json, headers: headers, created: created, wordPause: wordPause).answer()
            }
        case ("POST", "/v1/images/generations"):
            return parsed(body) { OfflineImages.generate($0, headers: headers, created: created) }
        case ("POST", "/v1/embeddings"):
            return parsed(body) { OfflineEmbeddings.answer($0) }
        case (_, "/v1/models"), (_, "/v1/chat/completions"), (_, "/v1/images/generations"),
            (_, "/v1/embeddings"):
            return .error(405, "Not allowed to \(method) on \(plain).", code: "method_not_supported")
        default:
            return .error(404, "Unknown request URL: \(method) \(plain).", code: "unknown_url")
        }
    }

    private func parsed(_ body: Bytes, _ use: (JSON) -> OfflineAnswer) -> OfflineAnswer {
        guard let json = try? JSON.parse(body), json.objectValue != nil else {
            return .error(400, "The body is no JSON object.")
        }
        return use(json)
    }

    private func models() -> OfflineAnswer {
        let names = ["offline-1", "gpt-image-1", "dall-e-3", "offline-embedding-1"]
        let list: [JSON] = names.map {
            ["id": .string($0), "object": "model", "created": .integer(created), "owned_by": "swiftlet"]
        }
        return .json(["object": "list", "data": .array(list)])
    }
}
