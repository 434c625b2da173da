import FunctionCore
import Invocations

/// The Redis triggers of the generation in force.
actor TriggerSet {
    /// What makes a trigger the same one.
    private struct Key: Hashable {
        var function: String
        var source: RedisSource
        var retry: Manifest.Retry
        var timeout: Duration
    }

    private let make: @Sendable (Manifest, RedisSource) -> any RedisTriggering
    private var triggers: [Key: any RedisTriggering] = [:]
    private var replacing: Task<Void, Never>?
    private var isStopping = false

    init(_ make: @escaping @Sendable (Manifest, RedisSource) -> any RedisTriggering) {
        self.make = make
    }

    /// Has the streams, lists and channels of these manifests read, and no others.
    ///
    /// A trigger that is replaced ends what it has before the new one begins: they share a name as
    /// consumers, and the new one would take for left behind what the old one still runs.
    func replace(_ manifests: [Manifest]) {
        let before = replacing
        replacing = Task {
            await before?.value
            await self.change(to: manifests)
        }
    }

    private func change(to manifests: [Manifest]) async {
        var wanted: [Key: (Manifest, RedisSource)] = [:]
        for manifest in manifests {
            for source in RedisSource.all(of: manifest) {
                let key = Key(
                    function: manifest.name,
                    source: source,
                    retry: manifest.retry,
                    timeout: manifest.limits.timeout
                )
                wanted[key] = (manifest, source)
            }
        }
        let old = triggers.filter { wanted[$0.key] == nil }
        await withDiscardingTaskGroup { group in
            for (key, trigger) in old { group.addTask { await trigger.stop(grace: key.timeout) } }
        }
        for key in old.keys { triggers[key] = nil }
        for (key, (manifest, source)) in wanted where triggers[key] == nil && !isStopping {
            let trigger = make(manifest, source)
            triggers[key] = trigger
            trigger.start()
        }
    }

    /// Ends them all, those that are being replaced as well.
    func stop(grace: Duration) async {
        isStopping = true
        await withDiscardingTaskGroup { group in
            for trigger in triggers.values { group.addTask { await trigger.stop(grace: grace) } }
        }
        await replacing?.value
    }
}
