import FunctionCore
import Invocations

/// Something that a host has so much of.
package enum Resource: Sendable, Hashable, Comparable {
    /// Thousandths of a core.
    case cpu
    /// Bytes.
    case memory
    /// Bytes of a named slot.
    case slot(String)
    /// Places of a named slot: a light worker takes one, a heavy one all.
    case places(String)

    /// The name, safe as a metric's label.
    package var name: String {
        switch self {
        case .cpu: "cpu"
        case .memory: "memory"
        case .slot(let name): "slots.\(name)"
        case .places(let name): "slots.\(name).jobs"
        }
    }

    package static func < (left: Resource, right: Resource) -> Bool { left.name < right.name }

    /// An amount in words.
    package func text(_ amount: Int) -> String {
        switch self {
        case .cpu: "\(amount)m"
        case .memory, .slot: amount >= 1 << 20 ? "\(amount >> 20)MiB" : "\(amount)"
        case .places: "\(amount)"
        }
    }
}

/// How much of each resource; what is not named is none.
package typealias Amounts = [Resource: Int]

extension Amounts {
    /// What of a need is not there.
    package func lacking(_ need: Amounts) -> Amounts {
        var result: Amounts = [:]
        for (resource, amount) in need where amount > self[resource, default: 0] {
            result[resource] = amount - self[resource, default: 0]
        }
        return result
    }

    mutating func add(_ other: Amounts) { for (key, amount) in other { self[key, default: 0] += amount } }
    mutating func take(_ other: Amounts) { for (key, amount) in other { self[key, default: 0] -= amount } }

    /// `cpu 500m, memory 256MiB`.
    package var text: String {
        sorted { $0.key < $1.key }.map { "\($0.key.name) \($0.key.text($0.value))" }.joined(separator: ", ")
    }
}

/// A named slot of the host, as its profile says: the memory of a GPU, for example.
package struct SlotProfile: Sendable, Hashable {
    package var name: String
    /// Bytes that there are; of them `system` and `buffer` are for nobody.
    package var total: Int
    package var system: Int
    package var buffer: Int
    /// How many workers may hold some of it at once; nil is any number.
    package var jobs: Int?
    /// From how many bytes on a worker has the slot for itself; nil is never.
    package var heavy: Int?

    package init(
        name: String,
        total: Int,
        system: Int = 0,
        buffer: Int = 0,
        jobs: Int? = nil,
        heavy: Int? = nil
    ) {
        self.name = name
        self.total = total
        self.system = system
        self.buffer = buffer
        self.jobs = jobs
        self.heavy = heavy
    }

    /// What workers may have.
    package var usable: Int { max(0, total - system - buffer) }
}

/// What a host has for its workers.
package struct HostProfile: Sendable, Hashable {
    /// Thousandths of a core.
    package var cpu: Int
    /// Bytes.
    package var memory: Int
    package var slots: [SlotProfile]

    package init(cpu: Int, memory: Int, slots: [SlotProfile] = []) {
        self.cpu = cpu
        self.memory = memory
        self.slots = slots
    }

    package var amounts: Amounts {
        var amounts: Amounts = [.cpu: cpu, .memory: memory]
        for slot in slots {
            amounts[.slot(slot.name)] = slot.usable
            if let jobs = slot.jobs { amounts[.places(slot.name)] = jobs }
        }
        return amounts
    }

    /// What one worker of a function takes.
    ///
    /// A slot that the host does not have is needed all the same: the function can never run here.
    package func need(of manifest: Manifest) -> Amounts {
        var need: Amounts = [.memory: manifest.resources.memory ?? manifest.limits.memoryMiB << 20]
        if manifest.resources.cpu > 0 { need[.cpu] = manifest.resources.cpu }
        for slot in manifest.resources.slots {
            let size = slot.model + slot.inference
            need[.slot(slot.name)] = size
            guard let profile = slots.first(where: { $0.name == slot.name }), let jobs = profile.jobs else {
                continue
            }
            need[.places(slot.name)] = profile.heavy.map { size >= $0 } ?? false ? jobs : 1
        }
        return need
    }
}
