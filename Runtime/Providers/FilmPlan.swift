import FunctionCore

/// What is asked of the renderer, checked, and cut into frames.
struct FilmPlan: Sendable {
    private static let sceneLimit = 120
    private static let captionLimit = 4000
    private static let longestScene = 600.0
    private static let longestFilm = 3600.0

    let request: RenderRequest
    /// How many frames each scene has.
    ///
    /// The ends are rounded, not the lengths, so errors do not add up.
    let frames: [Int]

    /// - Throws: `FunctionError` 422 with all faults.
    init(_ request: RenderRequest) throws {
        let faults = FilmPlan.faults(request)
        if !faults.isEmpty { throw FunctionError.invalid(faults) }
        self.request = request
        var frames: [Int] = []
        var end = 0.0
        var placed = 0
        for scene in request.scenes {
            end += scene.seconds
            let next = max(placed + 1, Int((end * Double(SceneCommand.framesPerSecond)).rounded()))
            frames.append(next - placed)
            placed = next
        }
        self.frames = frames
    }

    /// How long the film is to be.
    var seconds: Double { request.scenes.reduce(0) { $0 + $1.seconds } }

    /// Where the captions go.
    var captionsKey: String {
        let key = request.key
        return (key.hasSuffix(".mp4") ? String(key.dropLast(4)) : key) + ".srt"
    }

    private static func faults(_ request: RenderRequest) -> [Fault] {
        var faults: [Fault] = []
        for (name, value) in [("width", request.width), ("height", request.height)]
        where !(64...1920).contains(value) || !value.isMultiple(of: 2) {
            faults.append(Fault(name, "range", "\(name) must be an even number from 64 to 1920"))
        }
        if !(1...sceneLimit).contains(request.scenes.count) {
            faults.append(Fault("scenes", "count", "scenes must hold 1 to \(sceneLimit) scenes"))
        }
        if request.key.isEmpty { faults.append(Fault("key", "required", "key must name the blob to store")) }
        for (index, scene) in request.scenes.prefix(sceneLimit).enumerated() {
            if !(scene.seconds >= 0.2 && scene.seconds <= longestScene) {
                let path = "scenes[\(index)].seconds"
                faults.append(Fault(path, "range", "\(path) must be 0.2 to \(Int(longestScene))"))
            }
            if scene.caption.count > captionLimit {
                let path = "scenes[\(index)].caption"
                faults.append(
                    Fault(path, "max_length", "\(path) may have \(captionLimit) characters; split the scene")
                )
            }
        }
        if faults.isEmpty, request.scenes.reduce(0, { $0 + $1.seconds }) > longestFilm {
            faults.append(
                Fault("scenes", "range", "the scenes together may last \(Int(longestFilm)) seconds")
            )
        }
        return faults
    }
}
