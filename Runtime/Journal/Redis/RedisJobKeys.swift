import FunctionCore

/// The names of a journal's keys: all of one slot, as what stands in braces is all that is hashed.
struct RedisJobKeys: Sendable {
    let base: Bytes
    /// This host's name among those that share the journal; stays over its restarts.
    let host: String

    init(_ name: String, host: String) {
        base = Bytes("swiftlet:{\(name)}")
        self.host = host
    }

    private func key(_ rest: String) -> Bytes { Bytes(base.array + Array(":\(rest)".utf8)) }

    func job(_ id: String) -> Bytes { key("job:\(id)") }
    func attempts(_ id: String) -> Bytes { key("attempts:\(id)") }
    /// Jobs of a function in a state, by their numbers.
    func jobs(_ function: String, _ state: JobState) -> Bytes { key("in:\(function):\(state.rawValue)") }
    /// Jobs of an owner, by their numbers.
    func owner(_ name: String) -> Bytes { key("owner:\(name)") }
    /// Jobs of a function that wait for their instant.
    func later(_ function: String) -> Bytes { key("later:\(function)") }
    /// Jobs of a lane that are due, in their order.
    func ready(_ function: String, _ lane: String) -> Bytes { key("ready:\(function):\(lane)") }
    func lane(_ function: String, _ lane: String) -> Bytes { key("lane:\(function):\(lane)") }
    /// Lanes of which something may begin, by priority and turn.
    func open(_ function: String) -> Bytes { key("open:\(function)") }
    /// Lanes that rest for their rate.
    func resting(_ function: String) -> Bytes { key("resting:\(function)") }
    /// A unique job's key.
    func unique(_ function: String, _ text: String) -> Bytes { key("unique:\(function):\(text)") }
    func idempotency(_ scope: IdempotencyScope) -> Bytes {
        let principal = scope.principal ?? ""
        return key("idempotency:\(scope.function):\(principal.utf8.count):\(principal):\(scope.key)")
    }
    /// Idempotency keys of requests under way on this host.
    var inFlight: Bytes { key("in-flight:\(host)") }
    func delivery(_ number: Int64) -> Bytes { key("delivery:\(number)") }
    func told(_ job: String) -> Bytes { key("told:\(job)") }

    func rotationLease(_ rotation: String) -> Bytes { key("rotation:lease:\(rotation)") }
    func rotationState(_ rotation: String) -> Bytes { key("rotation:state:\(rotation)") }
    func rotationLog(_ rotation: String) -> Bytes { key("rotation:log:\(rotation)") }

    /// Which schedules are paused, by their ids.
    var schedulePauses: Bytes { key("schedules:pauses") }
    /// How many runs schedules had before anybody counted for all hosts.
    var scheduleBase: Bytes { key("schedules:base") }
    var scheduleVersion: Bytes { key("schedules:version") }
    /// The jobs that were runs of a schedule which has so many in all.
    func scheduleRuns(_ schedule: String) -> Bytes { key("schedules:runs:\(schedule)") }

    var functions: Bytes { key("functions") }
    /// Numbers by `accepted`, or by what, function and state.
    var counts: Bytes { key("counts") }
    /// Jobs that run, by the ends of their leases.
    var running: Bytes { key("running") }
    /// Jobs that wait and have an end of time.
    var expiring: Bytes { key("expiring") }
    /// Jobs that have ended, by when.
    var ended: Bytes { key("ended") }
    /// Empty lanes whose rates keep them.
    var spent: Bytes { key("spent") }
    var idempotencies: Bytes { key("idempotencies") }
    var deliveries: Bytes { key("deliveries") }
    var deadDeliveries: Bytes { key("deliveries:dead") }
    /// The channel that tells hosts of each other's changes.
    var feed: Bytes { key("feed") }
}
