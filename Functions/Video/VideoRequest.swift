import FunctionCore

/// What film is asked for, checked.
struct VideoRequest: Sendable {
    var user: Int
    /// The script's id.
    var script: String
    var width = 640
    var height = 360
    var voice: String?
    /// Words a minute.
    var rate = 160

    /// What a voice can be asked for.
    static let rates = 80...450

    /// Reads a request.
    /// - Throws: `FunctionError` 422 with all faults.
    init(_ object: JSON) throws(FunctionError) {
        var faults: [Fault] = []
        user = object["user"]?.intValue ?? 0
        if user < 1 { faults.append(Fault("user", "range", "user must be a whole number from 1")) }
        script = object["script"]?.stringValue ?? ""
        if !(1...200).contains(script.utf8.count) {
            faults.append(Fault("script", "required", "script must be the id of one of the user's scripts"))
        }
        if let value = object["aspect"], !value.isNull {
            switch value.stringValue {
            case "16:9": (width, height) = (640, 360)
            case "9:16": (width, height) = (360, 640)
            case "1:1": (width, height) = (480, 480)
            default: faults.append(Fault("aspect", "choices", "aspect must be 16:9, 9:16 or 1:1"))
            }
        }
        width = VideoRequest.side(object["width"], "width", width, &faults)
        height = VideoRequest.side(object["height"], "height", height, &faults)
        if let value = object["voice"], !value.isNull {
            voice = value.stringValue
            if !(1...40).contains(voice?.utf8.count ?? 0) {
                faults.append(Fault("voice", "type", "voice must be a name such as en or de"))
            }
        }
        if let value = object["rate"], !value.isNull {
            rate = value.intValue ?? 0
            if !VideoRequest.rates.contains(rate) {
                let bounds = "\(VideoRequest.rates.lowerBound) to \(VideoRequest.rates.upperBound)"
                faults.append(
                    Fault("rate", "range", "rate must be a whole number from \(bounds) words a minute")
                )
            }
        }
        guard faults.isEmpty else { throw .invalid(faults) }
    }

    /// A side of the picture: even, as H.264 needs it.
    private static func side(_ json: JSON?, _ name: String, _ usual: Int, _ faults: inout [Fault]) -> Int {
        guard let json, !json.isNull else { return usual }
        if let side = json.intValue, (64...1920).contains(side), side.isMultiple(of: 2) { return side }
        faults.append(Fault(name, "range", "\(name) must be an even whole number from 64 to 1920"))
        return usual
    }
}
