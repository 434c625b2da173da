/// A request that has been answered, for logs and metrics.
package struct RequestReport: Sendable {
    /// The invocation's id; for other requests the id that their answer carries.
    package var invocation: String
    /// The function's name; nil for endpoints and for requests that found no route.
    package var function: String?
    package var method: String
    /// The route's pattern, never the path itself, so that it is safe as a label; nil where there is no
    /// route.
    package var pattern: String?
    /// The status sent; 499 where the client went away first.
    package var status: Int
    /// The client's address, as far as the host can vouch for it.
    package var client: String
    /// Bytes of the request's body.
    package var bytesIn: Int
    /// Bytes of the reply's body.
    package var bytesOut: Int
    /// From the head of the request to the last byte handed to the socket.
    package var duration: Duration
}
