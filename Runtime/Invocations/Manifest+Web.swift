import FunctionCore

extension Manifest {
    /// Which pages of other origins may call the function from a browser.
    package struct CORS: Sendable, Hashable {
        /// `https://app.example.com`, `https://*.example.com`, or `*` alone for all.
        package var origins: [String]
        /// Empty for the methods of the function's routes.
        package var methods: [String] = []
        /// Fields that a page may send besides those that every page may.
        package var headers: [String] = CORS.usualHeaders
        /// Fields of the reply that a page may read besides those that every page may.
        package var exposed: [String] = CORS.usuallyExposed
        /// Whether cookies and client certificates come along.
        package var credentials = false
        /// For how long a browser may keep the answer to a preflight.
        package var maxAge: Duration = .seconds(600)

        package init(origins: [String]) {
            self.origins = origins
        }

        /// What the gateway itself understands.
        package static let usualHeaders = ["content-type", "idempotency-key", "prefer", "x-request-id"]
        package static let usuallyExposed = [
            "location", "retry-after", "x-request-id", "x-swiftlet-invocation", "x-trace-id",
        ]
    }

    /// A folder of files that the gateway serves itself.
    package struct StaticFolder: Sendable, Hashable {
        /// Where it is found: `/` or `/assets`.
        package var path: String
        /// The folder's place in the file system.
        package var folder: String
        /// For how long a name without a hash may be kept unasked.
        package var maxAge: Duration = .zero
        /// Whether every file but HTML is one whose content never changes under its name.
        package var immutable = false
        package var line: Int

        package init(path: String, folder: String, line: Int = 0) {
            self.path = path
            self.folder = folder
            self.line = line
        }
    }
}
