import FunctionCore
import Invocations
import RedisTrigger

extension RedisJobs {
    /// The law at one instant: the counters, kept in the step of each change, meet the sets of jobs by state,
    /// the number of the last job that was ever made, and the lanes.
    package func audit() async throws -> [AuditLine] {
        let states = JobState.allCases.map { Bytes($0.rawValue) }
        let reply = try await RedisJobScripts.audit.call(client, keys.base, [states]).first
        guard let parts = reply?.array, parts.count >= 3 else { return [] }
        let numbers = RedisCounts(parts[2])
        var running = 0
        var lines: [AuditLine] = []
        for part in parts.dropFirst(3) {
            let words = part.array ?? []
            let function = words.first?.text ?? ""
            let rows = Dictionary(
                zip(JobState.allCases, words.dropFirst(4).map { $0.int ?? 0 })
            ) { first, _ in first }
            running += rows[.running] ?? 0
            let faults = lanes(words.dropFirst().prefix(3).map { $0.int ?? 0 }, rows)
            lines.append(AuditLine(function, numbers, rows, faults))
        }
        lines.sort { $0.function < $1.function }
        let (made, leased) = (parts[0].int ?? 0, parts[1].int ?? 0)
        let accepted = lines.reduce(0) { $0 + $1.accepted }
        var problems: [String] = []
        if made != accepted {
            problems.append("\(made) jobs were ever made, and \(accepted) were counted as accepted")
        }
        if leased != running { problems.append("\(leased) jobs hold a lease, and \(running) run") }
        if !problems.isEmpty {
            lines.append(AuditLine(source: "journal", function: "*", accepted: 0, problems: problems))
        }
        return lines
    }

    /// Lanes that say otherwise than the jobs in them; `told` is what they say of ready jobs, of held and
    /// waiting ones, and how many wait for their instant.
    private func lanes(_ told: [Int], _ rows: [JobState: Int]) -> [String] {
        guard told.count == 3, told[0] >= 0 else { return [] }
        let open = [JobState.queued, .retryWait, .running].reduce(0) { $0 + (rows[$1] ?? 0) }
        let ready = open - (rows[.running] ?? 0) - told[2]
        guard told[0] != ready || told[0] + told[1] != open else { return [] }
        return [
            "the lanes say \(told[0]) ready and \(told[1]) held or waiting, the jobs \(ready) and \(open - ready)"
        ]
    }
}

extension AuditLine {
    fileprivate init(
        _ function: String,
        _ numbers: RedisCounts,
        _ rows: [JobState: Int],
        _ faults: [String]
    ) {
        var problems = faults
        for state in JobState.allCases {
            let (counted, found) = (numbers["present", state, function], rows[state] ?? 0)
            if counted != found {
                problems.append("the counter of \(state.rawValue) is \(counted), and \(found) jobs are there")
            }
        }
        func ended(_ state: JobState) -> Int { (rows[state] ?? 0) + numbers["pruned", state, function] }
        self.init(
            source: "journal",
            function: function,
            accepted: numbers["accepted:\(function)"],
            completed: ended(.completed),
            deadLettered: ended(.failed) + ended(.expired),
            cancelled: ended(.cancelled),
            pending: JobState.allCases.filter { !$0.isFinal }.reduce(0) { $0 + (rows[$1] ?? 0) },
            problems: problems
        )
    }
}
