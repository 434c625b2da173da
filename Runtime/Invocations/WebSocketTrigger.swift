extension Manifest {
    /// A path on which clients connect by WebSocket.
    package struct WebSocket: Sendable, Hashable {
        /// As a route's.
        package var path: String
        package var operation: String
        /// In the order of preference; the first that a client offers is chosen.
        package var subprotocols: [String] = []
        /// Origins of web pages that may connect, beside the host's own: `https://app.example`, or `*`.
        package var origins: [String] = []
        /// Bytes of a client's message; a longer one closes the connection with 1009.
        package var maxMessage: Int = 64 * 1024
        /// Messages of one client in a second; what is faster waits.
        package var maxRate: Int = 100
        /// Without a message either way; then the connection is closed with 1001.
        package var idle: Duration = .seconds(300)
        /// Connections at once; one more is refused with 503.
        package var maxConnections: Int = 1000
        package var line: Int

        package init(path: String, operation: String = "", line: Int = 0) {
            self.path = path
            self.operation = operation
            self.line = line
        }
    }
}
