import FunctionCore
import GRDB
import Invocations
import Storage

/// The steps of one transaction on a user's data, checked before any is carried out.
struct UserTransaction: Sendable {
    /// How many steps a transaction has at most.
    static let stepLimit = 256

    private enum Step: Sendable {
        case put(String, String, JSON, onlyNew: Bool)
        case delete(String, String)
        case emit(OutboxEvent)
    }

    private let user: Int
    private let now: Instant
    private let steps: [Step]

    /// Whether it says something.
    var emits: Bool {
        steps.contains { if case .emit = $0 { true } else { false } }
    }

    /// Checks all steps.
    /// - Throws: `FunctionError` 422 with every fault.
    init(user: Int, _ writes: [UserWrite], origin: CallOrigin, now: Instant) throws {
        guard (1...Self.stepLimit).contains(writes.count) else {
            let message =
                "writes has \(writes.count) steps and must have 1 to \(Self.stepLimit); split the transaction"
            throw FunctionError.invalid("writes", "length", message)
        }
        try DataFault.check(writes.enumerated().flatMap { Self.faults($1, "writes[\($0)].") })
        self.user = user
        self.now = now
        self.steps = writes.map { write in
            switch write {
            case .put(let collection, let id, let value):
                return .put(collection, id, value, onlyNew: false)
            case .create(let collection, let id, let value):
                return .put(collection, id, value, onlyNew: true)
            case .delete(let collection, let id):
                return .delete(collection, id)
            case .emit(let event):
                let id = InvocationID.next()
                return .emit(
                    OutboxEvent(event, id: id, source: origin.function, time: now, trace: origin.trace)
                )
            }
        }
    }

    private static func faults(_ write: UserWrite, _ path: String) -> [Fault?] {
        switch write {
        case .put(let collection, let id, let value), .create(let collection, let id, let value):
            faults(collection, id, path) + [DataFault.value(value.text, at: path + "value")]
        case .delete(let collection, let id): faults(collection, id, path)
        case .emit(let event): OutboxEvent.faults(of: event, path: path)
        }
    }

    private static func faults(_ collection: String, _ id: String, _ path: String) -> [Fault?] {
        [NameRule.fault(collection, at: path + "collection"), NameRule.fault(id, at: path + "id")]
    }

    /// A `create` met records: all that were met, so that the caller sees what is there.
    struct Met: Error {
        var records: [UserRecord]
    }

    /// Carries out all steps.
    /// - Throws: `Met`, which undoes them.
    func run(in database: Database) throws -> [UserRecord] {
        let met = try steps.compactMap { step -> UserRecord? in
            guard case .put(let collection, let id, _, onlyNew: true) = step else { return nil }
            return try RecordTable.get(user, collection, id, in: database)
        }
        guard met.isEmpty else { throw Met(records: met) }
        return try steps.compactMap { step in
            switch step {
            case .put(let collection, let id, let value, let onlyNew):
                // Two steps of one transaction may create the same record.
                if onlyNew, let there = try RecordTable.get(user, collection, id, in: database) {
                    throw Met(records: [there])
                }
                return try RecordTable.put(user, collection, id, value, now: now, in: database)
            case .delete(let collection, let id):
                try RecordTable.delete(user, collection, id, in: database)
            case .emit(let event):
                try OutboxTable.insert(event, in: database)
            }
            return nil
        }
    }
}
