import FunctionCore

/// `POST /v1/embeddings`: each word moves a few of 64 dimensions, so that texts with words in common lie near
/// each other.
enum OfflineEmbeddings {
    static let dimensions = 64
    /// The dialect's own bound.
    private static let inputLimit = 2048

    static func answer(_ json: JSON) -> OfflineAnswer {
        let inputs: [String]
        switch json["input"] {
        case .string(let text): inputs = [text]
        case .array(let list): inputs = list.compactMap(\.stringValue)
        default: inputs = []
        }
        guard !inputs.isEmpty, inputs.count <= inputLimit else {
            return .error(400, "input must be a text or a list of up to 2048 texts.", parameter: "input")
        }
        let isBase64 = json["encoding_format"]?.stringValue == "base64"
        let data: [JSON] = inputs.enumerated().map { index, text in
            let vector = vector(text)
            let shown: JSON = isBase64 ? .string(base64(vector)) : .array(vector.map { .number(Double($0)) })
            return ["object": "embedding", "index": .integer(Int64(index)), "embedding": shown]
        }
        let tokens = Int64(inputs.reduce(0) { $0 + OfflineText.tokens($1) })
        return .json([
            "object": "list",
            "model": "offline-embedding-1",
            "data": .array(data),
            "usage": ["prompt_tokens": .integer(tokens), "total_tokens": .integer(tokens)],
        ])
    }

    /// A vector of length 1.
    static func vector(_ text: String) -> [Float] {
        var vector = [Float](repeating: 0, count: dimensions)
        for word in OfflineText.words(text) {
            var seed = OfflineSeed(word.lowercased())
            for _ in 0..<4 {
                let place = Int(seed.next() % UInt64(dimensions))
                vector[place] += Float(seed.fraction() * 2 - 1)
            }
        }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length > 0 else {
            vector[0] = 1
            return vector
        }
        return vector.map { $0 / length }
    }

    /// Little-endian 32-bit floats, as the vendor's client asks for them.
    private static func base64(_ vector: [Float]) -> String {
        var bytes: [UInt8] = []
        for value in vector {
            for shift in stride(from: 0, to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(shift)))
            }
        }
        return Bytes(bytes).base64
    }
}
