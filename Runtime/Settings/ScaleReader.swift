import FunctionCore
import Invocations
import Scaling

/// Reads what a `function.yaml` says of workers: how many, and what each takes of the host.
package enum ScaleReader {
    /// Reads `scale:`, which has to go with the function's limits, where they are known.
    package static func read(
        _ node: SettingsNode,
        _ scale: inout Manifest.Scale,
        of limits: Manifest.Limits? = nil
    ) {
        let members = node.members([
            "min", "max", "idle", "target", "window", "tolerance", "stabilization", "scaleDownDelay", "panic",
        ])
        let day = Duration.seconds(24 * 3600)
        let windows = Duration.seconds(1)...Duration.seconds(3600)
        scale.min = members["min"]?.integer(0...1000) ?? scale.min
        scale.max = members["max"]?.integer(1...1000) ?? scale.max
        scale.idle = members["idle"]?.duration(.milliseconds(100)...day) ?? scale.idle
        scale.window = members["window"]?.duration(windows) ?? scale.window
        scale.tolerance = members["tolerance"]?.integer(0...100) ?? scale.tolerance
        scale.stabilization = members["stabilization"]?.duration(.zero...day) ?? scale.stabilization
        scale.scaleDownDelay = members["scaleDownDelay"]?.duration(.zero...day) ?? scale.scaleDownDelay
        // A tenth of the window, as with Knative.
        scale.panic.window = max(.seconds(1), scale.window / 10)
        if let panic = members["panic"]?.members(["threshold", "window"]) {
            scale.panic.threshold = panic["threshold"]?.integer(101...100_000) ?? scale.panic.threshold
            scale.panic.window = panic["window"]?.duration(windows) ?? scale.panic.window
        }
        let metrics = ScaleMetric.allCases.map(\.rawValue)
        for (name, value) in members["target"]?.members(metrics) ?? [:] {
            guard let metric = ScaleMetric(rawValue: name) else { continue }
            scale.target[metric] = value.integer(1...1_000_000)
            let room = limits?.perWorker ?? .max
            guard metric == .inFlight, let target = scale.target[metric], target > room else { continue }
            value.wrong(
                "\(target) is above `limits.perWorker` \(room), so no worker ever has as many",
                hint: "raise perWorker, or lower the target"
            )
        }
        if scale.target.isEmpty {
            for name in ["window", "tolerance", "stabilization", "scaleDownDelay", "panic"] {
                members[name]?.wrong(
                    "it has no effect without a target",
                    hint: "add target: {inFlight: 8}, or another of \(metrics.joined(separator: ", "))"
                )
            }
        }
        if scale.min > scale.max {
            node.wrong("`min` \(scale.min) is above `max` \(scale.max)", hint: "raise max or lower min")
        }
        if scale.panic.window > scale.window {
            node.wrong("`panic.window` is longer than `window`", hint: "write a tenth of the window")
        }
    }

    /// Reads `resources:`.
    package static func read(_ node: SettingsNode, _ resources: inout Manifest.Resources) {
        let members = node.members(["cpu", "memory", "slots"])
        resources.cpu = members["cpu"].flatMap(readCPU) ?? 0
        resources.memory = members["memory"]?.size(1 << 20...64 << 30)
        resources.slots = members["slots"]?.entries.compactMap { readSlot($0.key, $0.value) } ?? []
    }

    private static func readCPU(_ node: SettingsNode) -> Int? {
        guard let text = node.string() else { return nil }
        if let amount = parseCPU(text), (1...1_024_000).contains(amount) { return amount }
        node.wrong("`\(text)` is no share of cores", hint: "write such as 500m, or 2")
        return nil
    }

    private static func readSlot(_ name: String, _ node: SettingsNode) -> Manifest.Slot? {
        let sizes = 0...1 << 40
        if node.isScalar {
            return node.size(sizes).map { Manifest.Slot(name: name, model: $0, line: node.line) }
        }
        let members = node.members(["model", "inference", "techniques"])
        let known = MemoryTechnique.allCases.map(\.rawValue)
        guard let model = (members["model"] ?? node.missing("model", "3000MiB"))?.size(sizes) else {
            return nil
        }
        return Manifest.Slot(
            name: name,
            model: model,
            inference: members["inference"]?.size(sizes) ?? 0,
            techniques: members["techniques"]?.list.compactMap { $0.word(known) } ?? [],
            line: node.line
        )
    }

    /// Reads a host's profile of slots.
    package static func readProfile(_ text: String, file: String, problems: Problems) -> [SlotProfile] {
        guard let root = SettingsNode.parse(text, file: file, problems: problems) else { return [] }
        let slots = root.members(["slots"])["slots"] ?? root.missing("slots", "{gpu: {total: 8192MiB}}")
        return slots?.entries.compactMap { readProfile($0.key, $0.value) } ?? []
    }

    private static func readProfile(_ name: String, _ node: SettingsNode) -> SlotProfile? {
        let members = node.members(["total", "system", "buffer", "jobs", "heavy"])
        let sizes = 0...1 << 50
        guard let total = (members["total"] ?? node.missing("total", "8192MiB"))?.size(sizes) else {
            return nil
        }
        let profile = SlotProfile(
            name: name,
            total: total,
            system: members["system"]?.size(sizes) ?? 0,
            buffer: members["buffer"]?.size(sizes) ?? 0,
            jobs: members["jobs"]?.integer(1...1000),
            heavy: members["heavy"]?.size(sizes)
        )
        if profile.usable == 0 {
            node.wrong("`system` and `buffer` leave nothing of `total`", hint: "lower them")
        }
        if profile.heavy != nil, profile.jobs == nil {
            node.wrong("`heavy` has no effect without `jobs`", hint: "write jobs: 2")
        }
        return profile
    }
}

/// Reads `500m`, `2`, `1.5` as thousandths of a core.
package func parseCPU(_ text: String) -> Int? {
    if text.hasSuffix("m") { return Int(text.dropLast()) }
    guard let cores = Double(text), (0...100_000).contains(cores) else { return nil }
    return Int((cores * 1000).rounded())
}
