import FunctionCore

extension Manifest {
    /// What an operation takes and answers, as JSON Schema says it: for documents, and for whoever reads them.
    ///
    /// Nothing checks an event against it but the function itself.
    package struct Contract: Sendable, Hashable {
        /// A file, relative to the manifest's folder, that describes the object which the operation works on:
        /// the body with the names of the path and of the query.
        package var request: String?
        /// Files by the status of the reply that they describe.
        package var responses: [Int: String] = [:]
        /// Statuses of the function's own failures.
        package var errors: [Int] = []
        /// Whether it can answer with server-sent events as well.
        package var events = false
        package var line: Int

        package init(line: Int = 0) {
            self.line = line
        }

        /// All files it names.
        package var files: [String] {
            [request].compactMap { $0 } + responses.sorted { $0.key < $1.key }.map(\.value)
        }
    }
}
