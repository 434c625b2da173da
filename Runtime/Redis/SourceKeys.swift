import FunctionCore

/// The keys that go with a stream or a list: all in the slot in which it lies itself, so that a script may
/// touch them together in a cluster.
///
/// A name with a hash tag of its own (`{eu}:orders`) keeps it; any other becomes the tag of the keys made from
/// it (`dead:{orders}`).
package struct SourceKeys: Sendable {
    package let source: String
    private let slotted: String

    package init(_ source: String) {
        self.source = source
        slotted = SourceKeys.hasTag(source) ? source : "{\(source)}"
    }

    /// The stream that takes what is given up.
    package var dead: Bytes { Bytes("dead:\(slotted)") }

    /// The hash that counts an entry's failures, by its id.
    ///
    /// Redis' own delivery count will not do: it counts takings-over and host restarts as well, which are no
    /// fault of the function.
    func attempts(of group: String) -> Bytes { Bytes("swiftlet:attempts:\(slotted):\(group)") }

    /// The hash of what became of a group's entries.
    func counts(of group: String) -> Bytes { Bytes("swiftlet:counts:\(slotted):\(group)") }

    /// The list of what a consumer has taken from the list.
    func taken(by consumer: String) -> Bytes { Bytes("swiftlet:taken:\(slotted):\(consumer)") }

    /// The hash of the list's consumers.
    var takers: Bytes { Bytes("swiftlet:takers:\(slotted)") }

    /// The hash that counts the failures of the list's elements, by their content.
    var attempts: Bytes { Bytes("swiftlet:attempts:\(slotted)") }

    /// Whether Redis takes a part of the name, that between its first brace and the next closing one, for its
    /// slot.
    private static func hasTag(_ key: String) -> Bool {
        guard let open = key.firstIndex(of: "{") else { return false }
        let rest = key[key.index(after: open)...]
        return rest.firstIndex(of: "}").map { $0 > rest.startIndex } ?? false
    }
}
