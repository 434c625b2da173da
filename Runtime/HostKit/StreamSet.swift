import FunctionCore
import Invocations
import RedisTrigger

/// The stream triggers of the generation in force.
actor StreamSet {
    /// What makes a trigger the same one.
    private struct Key: Hashable {
        var function: String
        var stream: Manifest.Stream
        var retry: Manifest.Retry
        var timeout: Duration
    }

    private let make: @Sendable (Manifest, Manifest.Stream) -> StreamTrigger
    private var triggers: [Key: StreamTrigger] = [:]
    private var replacing: Task<Void, Never>?
    private var isStopping = false

    init(_ make: @escaping @Sendable (Manifest, Manifest.Stream) -> StreamTrigger) {
        self.make = make
    }

    /// Has the streams of these manifests read, and no others.
    ///
    /// A trigger that is replaced ends what it has before the new one begins: they share a name in their
    /// group, and the new one would take for left behind what the old one still runs.
    func replace(_ manifests: [Manifest]) {
        let before = replacing
        replacing = Task {
            await before?.value
            await self.change(to: manifests)
        }
    }

    private func change(to manifests: [Manifest]) async {
        var wanted: [Key: (Manifest, Manifest.Stream)] = [:]
        for manifest in manifests {
            for stream in manifest.streams {
                let key = Key(
                    function: manifest.name,
                    stream: stream,
                    retry: manifest.retry,
                    timeout: manifest.limits.timeout
                )
                wanted[key] = (manifest, stream)
            }
        }
        let old = triggers.filter { wanted[$0.key] == nil }
        await withDiscardingTaskGroup { group in
            for (key, trigger) in old { group.addTask { await trigger.stop(grace: key.timeout) } }
        }
        for key in old.keys { triggers[key] = nil }
        for (key, (manifest, stream)) in wanted where triggers[key] == nil && !isStopping {
            let trigger = make(manifest, stream)
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
