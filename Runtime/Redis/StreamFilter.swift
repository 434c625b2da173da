import FunctionCore
import Invocations

/// Which entries of a stream reach the function: all fields that are named must be there, each with one of its
/// patterns.
///
/// An entry that was sent again for the sake of one group passes in that group alone.
package struct StreamFilter: Sendable, Hashable {
    private let fields: [Manifest.FieldFilter]
    private let group: Bytes?

    /// A filter that lets all pass, but for what is meant for a group other than `group`.
    package init(_ fields: [Manifest.FieldFilter] = [], group: String? = nil) {
        self.fields = fields
        self.group = group.map { Bytes($0) }
    }

    package func passes(_ entry: StreamEntry) -> Bool {
        guard let values = entry.fields else { return true }
        if let group, let meant = values.first(where: { $0.name == DeadLetter.Field.group }),
            meant.value != group
        {
            return false
        }
        return fields.allSatisfy { filter in
            let name = Bytes(filter.name)
            guard let value = values.first(where: { $0.name == name })?.value.text else { return false }
            return filter.patterns.contains { pattern in
                pattern.hasSuffix("*") ? value.hasPrefix(pattern.dropLast()) : value == pattern
            }
        }
    }
}
