/// A server that speaks OpenAI's dialects, and what to ask of it.
package struct ProviderEndpoint: Sendable {
    /// Up to and including the version, without a slash at the end: `https://api.openai.com/v1`.
    package var baseURL: String
    /// Sent as a bearer token; nil for a server that wants none.
    ///
    /// Never logged, never part of an error.
    package var apiKey: String?
    /// The language model where a request names none.
    package var model: String
    /// The image model where a request names none.
    package var imageModel: String
    /// Whether this is the offline provider; answers say so as well, by their header.
    package var offline: Bool

    package init(
        baseURL: String,
        apiKey: String? = nil,
        model: String,
        imageModel: String = "gpt-image-1",
        offline: Bool = false
    ) {
        self.baseURL = baseURL.hasSuffix("/") ? String(baseURL.dropLast()) : baseURL
        self.apiKey = apiKey
        self.model = model
        self.imageModel = imageModel
        self.offline = offline
    }
}
