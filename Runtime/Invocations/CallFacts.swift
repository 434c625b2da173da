import FunctionCore
import Synchronization

/// What a service tells of a call that it answers, beside the answer: `factMax` facts at most, each the last
/// one of its name.
///
/// Threading: any.
package final class CallFacts: Sendable {
    private static let factMax = 8
    private let told = Mutex<[SpanAttribute]>([])

    package init() {}

    package var all: [SpanAttribute] { told.withLock { $0 } }

    /// Values are short and free of secrets.
    package func tell(_ name: StaticString, _ value: JSON) {
        let fact = SpanAttribute("\(name)", value)
        told.withLock { facts in
            if let index = facts.firstIndex(where: { $0.name == fact.name }) {
                facts[index] = fact
            } else if facts.count < CallFacts.factMax {
                facts.append(fact)
            }
        }
    }
}
