import FunctionCore

/// What ffprobe says about a film.
struct FilmProbe: Sendable, Hashable {
    static func arguments(_ file: String) -> [String] {
        [
            "-v", "error", "-show_entries", "format=duration:stream=codec_name,width,height", "-of", "json",
            file,
        ]
    }

    var seconds: Double
    var codecs: [String]
    var width: Int
    var height: Int

    /// Reads ffprobe's JSON.
    init?(_ output: Bytes) {
        guard let json = try? JSON.parse(output), let streams = json["streams"]?.arrayValue,
            let seconds = json["format"]?["duration"]?.stringValue.flatMap({ Double($0) })
        else { return nil }
        self.seconds = seconds
        codecs = streams.compactMap { $0["codec_name"]?.stringValue }
        width = streams.compactMap { $0["width"]?.intValue }.first ?? 0
        height = streams.compactMap { $0["height"]?.intValue }.first ?? 0
    }

    /// What is wrong with the film; nil for one that is as planned.
    func fault(_ plan: FilmPlan) -> String? {
        if !codecs.contains("h264") || !codecs.contains("aac") { return "it lacks H.264 or AAC" }
        if width != plan.request.width || height != plan.request.height { return "it is \(width)x\(height)" }
        if (seconds - plan.seconds).magnitude > 0.1 {
            return "it lasts \(seconds) instead of \(plan.seconds) seconds"
        }
        return nil
    }
}
