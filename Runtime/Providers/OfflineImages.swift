import FunctionCore

/// `POST /v1/images/generations` of the offline provider, and the files behind the URLs that it gives.
enum OfflineImages {
    /// Where the pictures are that were answered as a URL.
    ///
    /// The name says all there is to know, so nothing is kept.
    static let path = "/offline/images/"
    /// Pixels in all; more than the largest size of the dialect needs.
    private static let pixelLimit = 3840 * 2160

    static func generate(_ json: JSON, headers: [Header], created: Int64) -> OfflineAnswer {
        guard let prompt = json["prompt"]?.stringValue, !prompt.isEmpty else {
            return .error(400, "You must provide a prompt.", parameter: "prompt")
        }
        if let answer = OfflineFault.asked(headers: headers, prompt: prompt)?.answer { return answer }
        let model = json["model"]?.stringValue ?? "gpt-image-1"
        let answersWithURL = model.hasPrefix("dall-e")
        if !answersWithURL {
            for name in ["response_format", "style"] where json[name] != nil {
                return .error(
                    400,
                    "Unknown parameter: '\(name)'.",
                    code: "unknown_parameter",
                    parameter: name
                )
            }
        }
        let asked = json["size"]?.stringValue ?? "1024x1024"
        guard let size = size(asked == "auto" ? "1024x1024" : asked) else {
            return .error(400, "Invalid size '\(asked)'.", code: "invalid_value", parameter: "size")
        }
        var seed = OfflineSeed("\(model)\u{0}\(prompt)")
        let value = seed.next()
        var picture = JSONObject()
        if answersWithURL, json["response_format"]?.stringValue != "b64_json" {
            let host = headers.first("host") ?? "127.0.0.1"
            picture["url"] = .string(
                "http://\(host)\(path)\(String(value, radix: 16))-\(size.width)x\(size.height).png"
            )
        } else {
            let bytes = OfflinePicture(seed: value).png(width: size.width, height: size.height)
            picture["b64_json"] = .string(bytes.base64)
        }
        if answersWithURL { picture["revised_prompt"] = .string("Offline picture of: \(prompt)") }
        let tokens = Int64(OfflineText.tokens(prompt))
        return .json([
            "created": .integer(created),
            "data": [.object(picture)],
            "usage": [
                "input_tokens": .integer(tokens),
                "output_tokens": 1056,
                "total_tokens": .integer(tokens + 1056),
                "input_tokens_details": ["text_tokens": .integer(tokens), "image_tokens": 0],
            ],
        ])
    }

    /// A picture by its URL.
    static func file(_ path: String) -> OfflineAnswer {
        let name = path.dropFirst(Self.path.count)
        let parts = name.split(separator: "-", maxSplits: 1)
        guard name.hasSuffix(".png"), parts.count == 2, let value = UInt64(parts[0], radix: 16),
            let size = size(String(parts[1].dropLast(4)))
        else {
            return .error(404, "There is no such picture.")
        }
        let bytes = OfflinePicture(seed: value).png(width: size.width, height: size.height)
        return OfflineAnswer(headers: [Header("content-type", "image/png")], body: .whole(bytes))
    }

    private static func size(_ text: String) -> (width: Int, height: Int)? {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let width = parts[0], let height = parts[1], (16...3840).contains(width),
            (16...3840).contains(height), width * height <= pixelLimit
        else { return nil }
        return (width, height)
    }
}
