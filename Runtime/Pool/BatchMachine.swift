import FunctionCore
import Invocations

/// Decides which of a function's events go together; no clock of its own.
///
/// An event waits until its batch is full, in number or in bytes, or its window is over. Events go together
/// only where they come from one principal under one fencing token, as an invocation has one of each. At most
/// `formingMax` batches are forming; an event that would begin one more is sent alone and at once.
struct BatchMachine {
    struct Kin: Hashable {
        var principal: String?
        var fencingToken: UInt64?
    }

    enum Action: Hashable {
        /// Run these together, in their order.
        case send([Int])
        /// Tell `due` then.
        case wake(at: Monotonic)
    }

    private struct Forming {
        var ids: [Int] = []
        var bytes = 0
        var until: Monotonic
    }

    static let formingMax = 256

    private let settings: Manifest.Batch
    private let bytesMax: Int
    private var forming: [Kin: Forming] = [:]

    init(_ settings: Manifest.Batch, bytesMax: Int) {
        self.settings = settings
        self.bytesMax = bytesMax
    }

    /// How many events wait.
    var waiting: Int { forming.values.reduce(0) { $0 + $1.ids.count } }

    mutating func arrived(_ id: Int, _ kin: Kin, bytes: Int, at now: Monotonic) -> [Action] {
        var actions: [Action] = []
        if let full = forming[kin], full.bytes + bytes > bytesMax {
            actions.append(.send(full.ids))
            forming[kin] = nil
        }
        guard forming[kin] != nil || forming.count < BatchMachine.formingMax else {
            return actions + [.send([id])]
        }
        if forming[kin] == nil {
            let until = now + settings.window
            forming[kin] = Forming(until: until)
            actions.append(.wake(at: until))
        }
        forming[kin]?.ids.append(id)
        forming[kin]?.bytes += bytes
        if let batch = forming[kin], batch.ids.count >= settings.max {
            forming[kin] = nil
            actions.removeAll { if case .wake = $0 { true } else { false } }
            actions.append(.send(batch.ids))
        }
        return actions
    }

    /// A time that was asked for has come.
    mutating func due(at now: Monotonic) -> [Action] {
        let over = forming.filter { $0.value.until <= now }
        for kin in over.keys { forming[kin] = nil }
        return over.values.sorted { $0.until < $1.until }.map { .send($0.ids) }
    }

    /// Somebody does not want his event's answer any more; true where it waited, and is taken out.
    mutating func left(_ id: Int) -> Bool {
        for (kin, batch) in forming {
            guard let index = batch.ids.firstIndex(of: id) else { continue }
            forming[kin]?.ids.remove(at: index)
            if batch.ids.count == 1 { forming[kin] = nil }
            return true
        }
        return false
    }
}
