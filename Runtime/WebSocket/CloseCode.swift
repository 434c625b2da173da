/// Why a WebSocket connection is closed (RFC 6455 section 7.4 and the registry it founded).
package struct CloseCode: Sendable, Hashable, RawRepresentable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    package static let normal = CloseCode(rawValue: 1000)
    package static let goingAway = CloseCode(rawValue: 1001)
    package static let protocolError = CloseCode(rawValue: 1002)
    /// The peer's close frame had no code; never sent.
    package static let none = CloseCode(rawValue: 1005)
    /// The connection ended without a close frame; never sent.
    package static let abnormal = CloseCode(rawValue: 1006)
    package static let invalidData = CloseCode(rawValue: 1007)
    package static let policy = CloseCode(rawValue: 1008)
    package static let tooBig = CloseCode(rawValue: 1009)
    package static let internalError = CloseCode(rawValue: 1011)
    package static let restart = CloseCode(rawValue: 1012)

    /// Whether a peer may send it in a close frame.
    package var isValidOnWire: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// Whether a function may close with it: what tells of a peer's fault is for the host to say.
    package var isForFunctions: Bool {
        switch rawValue {
        case 1000, 1001, 1008, 1011...1013, 3000...4999: true
        default: false
        }
    }
}

/// How a connection ended.
package struct Closing: Sendable, Hashable {
    package var code: CloseCode
    package var reason: String

    /// What fits behind the code in a control frame.
    package static let reasonMax = 123

    package init(_ code: CloseCode, _ reason: String = "") {
        self.code = code
        self.reason = reason
    }
}
