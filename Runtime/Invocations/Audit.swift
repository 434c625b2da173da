/// What a source of work says of itself, function by function, against its own record.
///
/// The law, at every instant: accepted = completed + dead-lettered + cancelled + pending.
package protocol AuditedSource: Sendable {
    /// Recounts what the record holds, and compares it with the counters.
    /// - Throws: what keeps the record from being read.
    func audit() async throws -> [AuditLine]
}

/// A function's numbers at one source.
package struct AuditLine: Sendable, Hashable {
    /// Where it was accepted: `journal`, or a stream's name.
    package var source: String
    package var function: String
    /// What callers were told is taken on, or what the source has delivered.
    package var accepted: Int
    package var completed: Int
    /// Failed for good, and what expired.
    package var deadLettered: Int
    package var cancelled: Int
    package var pending: Int
    /// What does not add up, in sentences; empty where the line is balanced.
    package var problems: [String]

    package init(
        source: String,
        function: String,
        accepted: Int,
        completed: Int = 0,
        deadLettered: Int = 0,
        cancelled: Int = 0,
        pending: Int = 0,
        problems: [String] = []
    ) {
        self.source = source
        self.function = function
        self.accepted = accepted
        self.completed = completed
        self.deadLettered = deadLettered
        self.cancelled = cancelled
        self.pending = pending
        self.problems = problems
        let found = completed + deadLettered + cancelled + pending
        if found != accepted {
            self.problems.append("\(accepted) were accepted, and \(found) are accounted for")
        }
    }

    package var isBalanced: Bool { problems.isEmpty }
}
