import FunctionCore
import GRDB
import Invocations
import Storage

/// The law, checked in the journal: what callers were told is accepted has ended in one of three ways, or
/// waits.
///
/// The counters are kept by triggers, in the transaction of each change. Here they meet what can be counted
/// anew: the rows, and SQLite's own number of the last row that was ever made.
enum JobAudit {
    private struct Tally {
        var accepted = 0
        var present: [JobState: Int] = [:]
        var pruned: [JobState: Int] = [:]
        var rows: [JobState: Int] = [:]
    }

    static func lines(in database: Database) throws -> [AuditLine] {
        var tallies: [String: Tally] = [:]
        for row in try database.rows("SELECT function, accepted FROM job_totals") {
            tallies[row["function"], default: Tally()].accepted = row["accepted"]
        }
        for row in try database.rows("SELECT function, state, present, pruned FROM job_counts") {
            guard let state = JobState(rawValue: row["state"]) else { continue }
            tallies[row["function"], default: Tally()].present[state] = row["present"]
            tallies[row["function"], default: Tally()].pruned[state] = row["pruned"]
        }
        var stray: [String: [String]] = [:]
        for row in try database.rows("SELECT function, state, count(*) AS n FROM jobs GROUP BY 1, 2") {
            let (function, word) = (row["function"] as String, row["state"] as String)
            if let state = JobState(rawValue: word) {
                tallies[function, default: Tally()].rows[state] = row["n"]
            } else {
                stray[function, default: []].append("\(row["n"] as Int) rows are in no state: `\(word)`")
            }
        }
        for (function, faults) in try faultyLanes(in: database) { stray[function, default: []] += faults }
        for (function, faults) in try faultyRows(in: database) { stray[function, default: []] += faults }
        var lines = tallies.keys.sorted().map { function in
            line(function, tallies[function] ?? Tally(), stray[function] ?? [])
        }
        let sequence = try database.first("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'")
        let made: Int = sequence?["seq"] ?? 0
        let accepted = lines.reduce(0) { $0 + $1.accepted }
        if made != accepted {
            let problem = "\(made) rows were ever made, and \(accepted) were counted as accepted"
            lines.append(AuditLine(source: "journal", function: "*", accepted: 0, problems: [problem]))
        }
        return lines
    }

    private static func line(_ function: String, _ tally: Tally, _ stray: [String]) -> AuditLine {
        var problems = stray
        for state in JobState.allCases {
            let (counted, found) = (tally.present[state] ?? 0, tally.rows[state] ?? 0)
            if counted != found {
                problems.append("the counter of \(state.rawValue) is \(counted), and \(found) rows are there")
            }
        }
        func ended(_ state: JobState) -> Int { (tally.rows[state] ?? 0) + (tally.pruned[state] ?? 0) }
        return AuditLine(
            source: "journal",
            function: function,
            accepted: tally.accepted,
            completed: ended(.completed),
            deadLettered: ended(.failed) + ended(.expired),
            cancelled: ended(.cancelled),
            pending: JobState.allCases.filter { !$0.isFinal }.reduce(0) { $0 + (tally.rows[$1] ?? 0) },
            problems: problems
        )
    }

    /// Lanes that say otherwise than the jobs in them.
    private static func faultyLanes(in database: Database) throws -> [String: [String]] {
        let lanes = "SELECT function, sum(ready) AS r, sum(held + later) AS h FROM job_lanes GROUP BY 1"
        let jobs = """
            SELECT function, sum(ready) AS r, sum(ready = 0) AS h FROM jobs
            WHERE state IN ('queued', 'retry_wait', 'running') GROUP BY 1
            """
        func counts(_ sql: String) throws -> [String: [Int]] {
            let rows = try database.rows(sql).map { ($0["function"] as String, [$0["r"], $0["h"]] as [Int]) }
            return Dictionary(rows) { first, _ in first }.filter { $0.value != [0, 0] }
        }
        let (told, found) = (try counts(lanes), try counts(jobs))
        return Set(told.keys).union(found.keys).reduce(into: [:]) { faults, function in
            let (told, found) = (told[function] ?? [0, 0], found[function] ?? [0, 0])
            guard told != found else { return }
            faults[function] = [
                "the lanes say \(told[0]) ready and \(told[1]) held or waiting, the jobs \(found[0]) and \(found[1])"
            ]
        }
    }

    /// Rows that no step of a life leads to.
    private static func faultyRows(in database: Database) throws -> [String: [String]] {
        let rules = [
            ("run without a lease", "state = 'running' AND lease IS NULL"),
            ("hold a lease and do not run", "state <> 'running' AND lease IS NOT NULL"),
            ("are dead letters without a reason", "state IN ('failed', 'expired') AND error_code IS NULL"),
            ("wait for another attempt without an error", "state = 'retry_wait' AND error_code IS NULL"),
        ]
        var faults: [String: [String]] = [:]
        for (what, condition) in rules {
            let sql = "SELECT function, count(*) AS n FROM jobs WHERE \(condition) GROUP BY 1"
            for row in try database.rows(sql) {
                faults[row["function"], default: []].append("\(row["n"] as Int) jobs \(what)")
            }
        }
        return faults
    }
}

extension JobStore {
    /// One reading of the file: what is written meanwhile is not in it.
    package func audit() async throws -> [AuditLine] {
        try await file.read { try JobAudit.lines(in: $0) }
    }
}

extension HostJournal {
    /// The same of a journal that no host has open, and which stays as it is.
    /// - Throws: `StorageError`, also for a journal of an older version.
    package static func audit(stopped directory: String) async throws -> [AuditLine] {
        try await SQLiteFile.inspect("\(directory)/journal.sqlite", schema: .journal) {
            try JobAudit.lines(in: $0)
        }
    }
}
