import FunctionCore

/// A stored script, as far as a film needs it.
struct Screenplay: Sendable {
    /// One scene.
    struct Scene: Sendable {
        var title: String?
        var narration: String
        var seconds: Double

        /// Whether there is anything to be spoken.
        var isSpoken: Bool { narration.contains { $0.isLetter || $0.isNumber } }
    }

    let title: String
    let language: String
    let scenes: [Scene]

    /// As many as the renderer takes.
    private static let mostScenes = 120

    /// Reads a record of the collection `scripts`.
    /// - Throws: `FunctionError` 422 with all faults, for a record that somebody else wrote.
    init(_ record: JSON) throws(FunctionError) {
        var faults: [Fault] = []
        title = record["title"]?.stringValue ?? ""
        language = record["language"]?.stringValue ?? "en"
        let list = record["scenes"]?.arrayValue ?? []
        if !(1...Screenplay.mostScenes).contains(list.count) {
            let message = "the script must have 1 to \(Screenplay.mostScenes) scenes, not \(list.count)"
            faults.append(Fault("scenes", "count", message))
        }
        var scenes: [Scene] = []
        for (index, json) in list.prefix(Screenplay.mostScenes).enumerated() {
            let seconds = json["seconds"]?.doubleValue ?? 0
            if !(0.5...600).contains(seconds) {
                faults.append(
                    Fault("scenes[\(index)].seconds", "range", "a scene must last 0.5 to 600 seconds")
                )
            }
            let narration = json["narration"]?.stringValue ?? ""
            if narration.count > 4096 {
                let message = "a narration must have at most 4096 characters"
                faults.append(Fault("scenes[\(index)].narration", "length", message))
            }
            scenes.append(Scene(title: json["title"]?.stringValue, narration: narration, seconds: seconds))
        }
        self.scenes = scenes
        guard faults.isEmpty else { throw .invalid(faults) }
    }
}
