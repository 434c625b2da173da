import FunctionCore
import HTTPTrigger
import Invocations
import NIOCore
import Observe
import Scaling
import WorkerPool

/// What the admin port tells of workers and capacity: how many are wanted and why, what they have cost, who
/// holds what, who waits for what.
struct CapacityReport {
    let host: HostState

    /// One member a resource, then those that wait.
    func response() -> EndpointResponse {
        let standing = host.factory.capacity.standing
        let resources = standing.total.keys.sorted().map { resource -> JSON in
            let held = holders(of: resource, standing).map { function, amount, workers -> JSON in
                [
                    "function": .string(function), "workers": .integer(Int64(workers)),
                    "held": .integer(Int64(amount)),
                ]
            }
            return [
                "resource": .string(resource.name), "total": .integer(Int64(standing.total[resource] ?? 0)),
                "free": .integer(Int64(standing.free[resource] ?? 0)), "held": .array(held),
            ]
        }
        let waiting = standing.waiting.map { wait -> JSON in
            let before = wait.lacking.keys.sorted().flatMap { holders(of: $0, standing).map(\.function) }
            return [
                "function": .string(wait.function), "needs": .string(wait.need.text),
                "lacks": .string(wait.lacking.text), "urgent": .bool(wait.urgent),
                "waited_seconds": .number(wait.waited.milliseconds / 1000),
                "held_by": .array(Set(before).sorted().map { .string($0) }),
            ]
        }
        return .json(["resources": .array(resources), "waiting": .array(waiting)])
    }

    private func holders(
        of resource: Resource,
        _ standing: HostCapacity.Standing
    ) -> [(function: String, amount: Int, workers: Int)] {
        var sums: [String: (amount: Int, workers: Int)] = [:]
        for (holder, amounts) in standing.held {
            guard let amount = amounts[resource] else { continue }
            sums[holder.function, default: (0, 0)].amount += amount
            sums[holder.function, default: (0, 0)].workers += 1
        }
        return sums.sorted { $0.key < $1.key }.map { ($0.key, $0.value.amount, $0.value.workers) }
    }

    /// The last two minutes of a function's scaler as CSV, to be kept and replayed.
    func trace(_ request: EndpointRequest) async -> EndpointResponse {
        let name = request.parameters["name"] ?? ""
        guard let pool = host.dispatcher.pools[name] else {
            return .failure(.notFound("there is no function \(name)"))
        }
        guard let trace = try? await pool.trace().get() else {
            return .failure(.notFound("\(name) has no target under `scale:`, so nothing is recorded"))
        }
        let type = Header("content-type", "text/csv; charset=utf-8")
        return EndpointResponse(headers: [type], body: .bytes(Bytes(trace.text())))
    }

    static let families: [Metrics.Family] = [
        .init(
            "swiftlet_workers_wanted",
            .gauge,
            labels: ["function"],
            help: "Workers that a function's targets ask for."
        ),
        .init(
            "swiftlet_workers_pending",
            .gauge,
            labels: ["function"],
            help: "Workers that wait for room on the host."
        ),
        .init(
            "swiftlet_worker_seconds_total",
            .counter,
            labels: ["function"],
            help: "For how long workers have lived, all together."
        ),
        .init(
            "swiftlet_memory_mebibyte_seconds_total",
            .counter,
            labels: ["function"],
            help: "Memory kept for workers times the seconds that it was kept."
        ),
        .init(
            "swiftlet_capacity_total",
            .gauge,
            labels: ["resource"],
            help: "What the host has for workers: bytes, thousandths of a core, places."
        ),
        .init("swiftlet_capacity_free", .gauge, labels: ["resource"], help: "What nobody holds of it."),
        .init(
            "swiftlet_capacity_held",
            .gauge,
            labels: ["resource", "function"],
            help: "What a function's workers hold of it."
        ),
    ]

    /// Brings the gauges of one pool up to date.
    func note(_ manifest: Manifest, _ status: PoolStatus, _ metrics: Metrics) {
        let name = manifest.name
        if !manifest.scale.target.isEmpty {
            metrics.set("swiftlet_workers_wanted", [name], to: Double(status.wanted ?? 0))
        }
        metrics.set("swiftlet_workers_pending", [name], to: Double(status.pending))
        metrics.set("swiftlet_worker_seconds_total", [name], to: status.workerSeconds)
        let cost = CapacityReport.memorySeconds(manifest, status)
        metrics.set("swiftlet_memory_mebibyte_seconds_total", [name], to: cost)
    }

    /// Brings the gauges of the ledger up to date.
    func note(_ metrics: Metrics) {
        let capacity = host.factory.capacity
        let standing = capacity.standing
        for (resource, total) in standing.total {
            metrics.set("swiftlet_capacity_total", [resource.name], to: Double(total))
            metrics.set("swiftlet_capacity_free", [resource.name], to: Double(standing.free[resource] ?? 0))
            let held = holders(of: resource, standing)
            for manifest in host.project.manifests where capacity.profile.need(of: manifest)[resource] != nil
            {
                let amount = held.first { $0.function == manifest.name }?.amount ?? 0
                metrics.set("swiftlet_capacity_held", [resource.name, manifest.name], to: Double(amount))
            }
        }
    }

    /// Mebibytes kept for workers times the seconds for which they were kept.
    static func memorySeconds(_ manifest: Manifest, _ status: PoolStatus) -> Double {
        let bytes = manifest.resources.memory ?? manifest.limits.memoryMiB << 20
        return status.workerSeconds * Double(bytes) / 1_048_576
    }
}

extension PoolStatus {
    var workerSeconds: Double { workerTime.milliseconds / 1000 }
}
