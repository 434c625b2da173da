extension Manifest {
    /// Who is told that a job has ended.
    package enum Destination: Sendable, Hashable {
        /// A job of another function.
        case function(String, operation: String)
        /// An entry in a Redis stream.
        case stream(String)
        /// A POST to a URL.
        case webhook(String)
    }
}
