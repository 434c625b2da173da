import FunctionCore
import Glibc
import Invocations
import Scaling
import Settings

extension Configuration {
    /// What this host has for its workers: the settings `capacity.*`, by default a share of the machine.
    func profile(_ problems: Problems) -> HostProfile {
        var slots: [SlotProfile] = []
        let file = self["capacity.profile"]
        if !file.isEmpty {
            if let text = readText(file) {
                slots = ScaleReader.readProfile(text, file: file, problems: problems)
            } else {
                problems.add(
                    Problem(file: file, message: "it cannot be read", hint: "see capacity.profile")
                )
            }
        }
        return HostProfile(cpu: cores(problems), memory: memory(problems), slots: slots)
    }

    /// Thousandths of a core.
    private func cores(_ problems: Problems) -> Int {
        let text = self["capacity.cpu"]
        if text.isEmpty { return Configuration.machineCores }
        if let cores = parseCPU(text), cores > 0 { return cores }
        wrong("capacity.cpu", "`\(text)` is no number of cores", "such as 1500m or 2", problems)
        return 1000
    }

    /// Bytes.
    private func memory(_ problems: Problems) -> Int {
        let text = self["capacity.memory"]
        if text.hasSuffix("%"), let percent = Int(text.dropLast()), (1...100).contains(percent) {
            return Configuration.machineMemory / 100 * percent
        }
        if let size = parseSize(text), size > 0 { return size }
        wrong("capacity.memory", "`\(text)` is no size", "such as 4GiB, or 80% of the machine's", problems)
        return 1 << 30
    }

    /// What the machine has, or the container that the host runs in, in thousandths of a core.
    private static var machineCores: Int {
        let all = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) * 1000
        // `QUOTA PERIOD` in microseconds, or `max PERIOD`.
        let text = readText("/sys/fs/cgroup/cpu.max")
        let numbers = text?.split(whereSeparator: \.isWhitespace).map { Int($0) }
        guard let numbers, numbers.count == 2, let quota = numbers[0], let period = numbers[1], period > 0
        else { return all }
        return min(all, max(1, quota * 1000 / period))
    }

    /// What the machine has, or the container that the host runs in, in bytes.
    private static var machineMemory: Int {
        let physical = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        let limit = readText("/sys/fs/cgroup/memory.max").flatMap {
            Int($0.prefix { !$0.isNewline })
        }
        return min(physical, limit ?? physical)
    }
}

extension Project {
    /// Fits the functions into the host: models are told which techniques to use, and what can never run is a
    /// problem.
    mutating func fit(_ profile: HostProfile, _ problems: Problems) {
        var least: Amounts = [:]
        for index in manifests.indices {
            for slot in manifests[index].resources.slots.indices {
                plan(&manifests[index], slot, profile, problems)
            }
            let manifest = manifests[index]
            let need = profile.need(of: manifest)
            // What is lacking of slots has been told above.
            let lacking = profile.amounts.lacking(need).filter { $0.key == .cpu || $0.key == .memory }
            for resource in lacking.keys.sorted() {
                let has = "the host has \(resource.text(profile.amounts[resource] ?? 0)) for all"
                problems.add(
                    Problem(
                        file: manifest.file,
                        message:
                            "a worker takes \(resource.name) \(resource.text(need[resource] ?? 0)), \(has)",
                        hint: "lower resources.\(resource.name), or raise capacity.\(resource.name)"
                    )
                )
            }
            if lacking.isEmpty {
                for (resource, amount) in need { least[resource, default: 0] += amount * manifest.scale.min }
            }
        }
        let lacking = profile.amounts.lacking(least)
        for resource in lacking.keys.sorted() where profile.amounts[resource] != nil {
            let has = resource.text(profile.amounts[resource] ?? 0)
            let needs = "\(resource.name) \(resource.text(least[resource] ?? 0))"
            problems.add(
                Problem(
                    file: "capacity",
                    message: "the workers of all scale.min take \(needs), and the host has \(has)",
                    hint: "lower a scale.min or a resources.*, or raise capacity.*"
                )
            )
        }
    }

    private func plan(_ manifest: inout Manifest, _ index: Int, _ profile: HostProfile, _ problems: Problems)
    {
        let slot = manifest.resources.slots[index]
        func wrong(_ message: String, _ hint: String) {
            problems.add(Problem(file: manifest.file, line: slot.line, message: message, hint: hint))
        }
        guard let place = profile.slots.first(where: { $0.name == slot.name }) else {
            return wrong(
                "this host has no slot `\(slot.name)`",
                "name a profile that has it by capacity.profile"
            )
        }
        guard let plan = MemoryPlan.fitting(slot, into: place.usable) else {
            let needs = "takes \((slot.model + slot.inference) >> 20)MiB of `\(slot.name)`"
            return wrong(
                "a worker \(needs), and \(place.usable >> 20)MiB are usable, whatever techniques it uses",
                "lower model or inference, or add techniques"
            )
        }
        manifest.resources.slots[index].model = plan.model
        manifest.resources.slots[index].inference = plan.inference
        guard !slot.techniques.isEmpty else { return }
        let name = slot.name.uppercased().map { $0.isLetter || $0.isNumber ? $0 : "_" }
        manifest.environment["SLOT_\(String(name))"] = plan.techniques.map(\.rawValue).joined(separator: ",")
    }
}
