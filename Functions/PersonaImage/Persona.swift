import FunctionCore

/// A persona as its document holds it.
struct Persona: Sendable, Codable {
    /// One picture of the persona.
    struct Version: Sendable, Codable {
        var version: Int
        var prompt: String
        var image: BlobReference
        var width: Int
        var height: Int
        var model: String
        var offline: Bool
        var created: Instant
    }

    /// The name in its one spelling.
    var name: String
    /// What the caller's newest picture shows.
    var prompt: String
    var tone: String?
    var motto: String?
    /// Why there is a tone but no motto, as a code.
    var mottoError: String?
    var mottoOffline: Bool?
    var created: Instant
    /// All pictures, the newest last; at least one.
    var versions: [Version]

    /// The newest picture.
    var current: Version? { versions.last }
}
