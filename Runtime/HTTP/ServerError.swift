/// Why a server could not be started.
package struct ServerError: Error, Sendable, CustomStringConvertible {
    /// A word that is safe as a metric label: `port_in_use`, `port_forbidden`, `address_unavailable`,
    /// `bind_failed`, `bad_routes`.
    package var code: String
    /// What is wrong, naming the port or the route, and the remedy.
    package var message: String

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code): \(message)" }
}
