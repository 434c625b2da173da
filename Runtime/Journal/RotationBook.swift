import FunctionCore

/// Whose turn it is to let the windows of a rotation take turns.
package enum RotationHold: Sendable, Hashable {
    /// This host's; `isNew` where another one may have acted since this one last did.
    case mine(isNew: Bool)
    case elsewhere
}

/// Where it is kept how the rotations stand, and what they did: the host's file, or a Redis that hosts share.
///
/// Of hosts that share it one holds a rotation, and only that one writes.
package protocol RotationBook: Sendable {
    /// How long a hold lasts that is not renewed, on the real clock; nil where there is no other host.
    var lease: Duration? { get }

    /// Takes the hold of a rotation, or keeps it.
    func hold(_ rotation: String) async throws -> RotationHold
    /// Leaves the hold to whoever takes it next.
    func release(_ rotation: String) async

    /// A rotation's state, or nil for one that is new.
    func state(of rotation: String) async throws -> String?
    /// Replaces a rotation's state and keeps what led to it, both or neither; neither, and false, where another
    /// host holds the rotation.
    func record(_ rotation: String, _ state: String, _ row: RotationRow) async throws -> Bool
    /// The latest steps of a rotation, oldest first.
    func rows(of rotation: String, limit: Int) async throws -> [RotationRow]
}

extension RotationBook {
    /// The steps of a rotation, as many as are kept.
    package func rows(of rotation: String) async throws -> [RotationRow] {
        try await rows(of: rotation, limit: RotationRow.kept)
    }
}

/// A step of a rotation, as it is kept.
package struct RotationRow: Sendable, Hashable {
    /// How many steps of each rotation are kept: years of two windows a day.
    package static let kept = 10_000

    package var kind: String
    package var window: String
    package var token: UInt64
    package var at: Instant
    /// When the window's span was to open.
    package var opens: Instant
    /// From here on the token was worth nothing.
    package var hardStop: Instant
    package var reason: String?

    package init(
        kind: String,
        window: String,
        token: UInt64,
        at: Instant,
        opens: Instant,
        hardStop: Instant,
        reason: String?
    ) {
        self.kind = kind
        self.window = window
        self.token = token
        self.at = at
        self.opens = opens
        self.hardStop = hardStop
        self.reason = reason
    }
}
