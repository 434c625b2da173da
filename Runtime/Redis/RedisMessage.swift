import FunctionCore

/// A message of a channel.
package struct RedisMessage: Sendable, Hashable {
    package var channel: String
    package var payload: Bytes

    package init(channel: String, payload: Bytes) {
        self.channel = channel
        self.payload = payload
    }

    /// The message that Redis pushes in the form of a reply; nil for every other reply.
    init?(_ reply: RedisValue) {
        guard let parts = reply.array, let payload = parts.last?.bytes else { return nil }
        switch (parts[0].text, parts.count) {
        case ("message", 3): self.init(channel: parts[1].text ?? "", payload: payload)
        case ("pmessage", 4): self.init(channel: parts[2].text ?? "", payload: payload)
        default: return nil
        }
    }
}
