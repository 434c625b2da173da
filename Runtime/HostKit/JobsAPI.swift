import FunctionCore
import HTTPTrigger
import Invocations
import Journal

/// The admin API's part on jobs and dead letters, and the audit of all that was accepted.
struct JobsAPI {
    let host: HostState
    let runner: JobRunner

    private var jobs: any JobEngine { host.stores.journal.jobs }

    var routes: [EndpointRoute] {
        [
            EndpointRoute("GET", "/v1/audit") { _ in await self.audit() },
            EndpointRoute("GET", "/v1/jobs") { request in await self.answer { try await self.list(request) }
            },
            EndpointRoute("GET", "/v1/jobs/{id}") { request in
                await self.answer { try await self.show(request.parameters["id"] ?? "") }
            },
            EndpointRoute("GET", "/v1/jobs/{id}/events") { request in
                await self.answer {
                    let job = try await self.existing(request.parameters["id"] ?? "")
                    return JobEvents(jobs: self.jobs, loop: self.host.loop).response(job, to: request)
                }
            },
            EndpointRoute("POST", "/v1/jobs/{id}/cancel") { request in
                await self.answer {
                    .json(["job": try await self.runner.cancel(request.parameters["id"] ?? "").json])
                }
            },
            EndpointRoute("POST", "/v1/jobs/{id}/retry") { request in
                await self.answer {
                    let id = request.parameters["id"] ?? ""
                    return .json(["job": try await self.jobs.revive(id, now: self.host.clock.now).json])
                }
            },
            EndpointRoute("POST", "/v1/jobs/redrive") { request in
                await self.answer {
                    let filter = try self.filter(request)
                    return .json(["jobs": .integer(Int64(try await self.redrive(filter)))])
                }
            },
            EndpointRoute("POST", "/v1/jobs/purge") { request in
                await self.answer {
                    let filter = try self.filter(request)
                    return .json(["jobs": .integer(Int64(try await self.purge(filter)))])
                }
            },
        ]
    }

    private func answer(_ body: () async throws -> EndpointResponse) async -> EndpointResponse {
        await .answering(else: "the journal cannot be read; the host's log has the cause", body)
    }

    // MARK: Jobs

    private func list(_ request: EndpointRequest) async throws -> EndpointResponse {
        let found = try await jobs.list(filter(request))
        var object: JSONObject = ["jobs": .array(found.map(\.json))]
        if let last = found.last, found.count > 1 { object["next"] = .integer(last.number) }
        return .json(.object(object))
    }

    private func show(_ id: String) async throws -> EndpointResponse {
        let job = try await existing(id)
        let attempts = try await jobs.attempts(of: job)
        guard case .object(var object) = job.json else { return .json(["job": job.json]) }
        object["claims"] = .integer(job.life.claims)
        object["recoveries"] = .integer(Int64(job.life.recoveries))
        object["trigger"] = .string(job.trigger)
        if let lease = job.life.lease { object["lease_until"] = .string(lease.until.rfc3339) }
        if let claimed = job.claimed { object["began"] = .string(claimed.rfc3339) }
        if let worker = job.worker { object["worker"] = .string(worker) }
        object["attempts"] = .array(attempts.map(\.json))
        let deliveries = try await host.stores.journal.deliveries.all(of: id)
        if !deliveries.isEmpty { object["deliveries"] = .array(deliveries.map(\.json)) }
        return .json(["job": .object(object)])
    }

    private func existing(_ id: String) async throws -> JobRecord {
        guard let job = try await jobs.job(id) else {
            throw FunctionError.notFound("there is no job \(id); it may have been pruned")
        }
        return job
    }

    private func redrive(_ filter: JobFilter) async throws -> Int {
        let count = try await jobs.redrive(filter, now: host.clock.now)
        noteMany("dead letters are queued again", count)
        return count
    }

    private func purge(_ filter: JobFilter) async throws -> Int {
        let count = try await jobs.purge(filter, now: host.clock.now)
        noteMany("dead letters are purged", count)
        return count
    }

    private func noteMany(_ what: String, _ count: Int) {
        host.telemetry.note(.info, what, [("jobs", .integer(Int64(count)))])
    }

    /// `function`, `state`, `error`, `from`, `until`, `before`, `limit`, all of them optional.
    private func filter(_ request: EndpointRequest) throws -> JobFilter {
        let query = request.query
        func value<Value>(_ name: String, _ what: String, _ read: (String) -> Value?) throws -> Value? {
            guard let text = query[name], !text.isEmpty else { return nil }
            guard let value = read(text) else {
                throw FunctionError.invalid(name, "form", "`\(name)` must be \(what)")
            }
            return value
        }
        let words = JobState.allCases.map(\.rawValue).joined(separator: ", ")
        let instant = "an instant such as 2026-11-20T14:25:00Z"
        return JobFilter(
            function: query["function"].flatMap { $0.isEmpty ? nil : $0 },
            states: try value("state", "one of \(words)", JobState.init(rawValue:)).map { [$0] } ?? [],
            errorCode: query["error"].flatMap { $0.isEmpty ? nil : $0 },
            from: try value("from", instant, Instant.init(rfc3339:)),
            until: try value("until", instant, Instant.init(rfc3339:)),
            before: try value("before", "the `next` of the last page") { Int64($0) },
            limit: try value("limit", "a whole number from 1 to 500") { Int($0) } ?? 50
        )
    }

    // MARK: The law

    private func audit() async -> EndpointResponse {
        await answer {
            var lines: [AuditLine] = []
            for source in host.auditedSources { lines += try await source.audit() }
            return .json(lines.report)
        }
    }
}

extension HostState {
    /// All that takes work on, each with its own record of it.
    var auditedSources: [any AuditedSource] {
        let outbox: [any AuditedSource] = stores.journal.jobOutbox.map { [$0] } ?? []
        let streams = StreamAudit(manifests: project.manifests, client: redis)
        return [stores.journal.jobs, stores.credits, streams] + outbox
    }
}

/// The audit of a journal that no host has open.
/// - Throws: `HostError` where a host has it open, `StorageError`.
package func auditStopped(_ directory: String) async throws -> JSON {
    let lock = try DataDirectory.visit(directory)
    defer { lock.leave() }
    return try await HostJournal.audit(stopped: directory).report
}

extension [AuditLine] {
    /// The lines as the admin API and the command line show them.
    var report: JSON {
        let lines = map { line -> JSON in
            [
                "source": .string(line.source), "function": .string(line.function),
                "accepted": .integer(Int64(line.accepted)), "completed": .integer(Int64(line.completed)),
                "dead_lettered": .integer(Int64(line.deadLettered)),
                "cancelled": .integer(Int64(line.cancelled)), "pending": .integer(Int64(line.pending)),
                "problems": .array(line.problems.map { .string($0) }),
            ]
        }
        return ["balanced": .bool(allSatisfy(\.isBalanced)), "lines": .array(lines)]
    }
}

extension JobAttempt {
    var json: JSON {
        var object: JSONObject = [
            "attempt": .integer(Int64(attempt)), "claim": .integer(claim), "outcome": .string(end.outcome),
            "started": .string(started.rfc3339), "ended": .string(ended.rfc3339),
        ]
        if let worker = end.worker { object["worker"] = .string(worker) }
        if let error { object["error"] = error.json }
        return .object(object)
    }
}

extension Delivery {
    /// What is still to be told of a job's end; the target without what may be secret in it.
    var json: JSON {
        var object: JSONObject = ["failures": .integer(Int64(failures))]
        switch destination {
        case .stream(let name): object["stream"] = .string(name)
        case .webhook(let url): object["webhook"] = .string(String(url.prefix { $0 != "?" }))
        case .function(let name, _): object["function"] = .string(name)
        }
        if let runAt { object["next"] = .string(runAt.rfc3339) } else { object["given_up"] = true }
        if let error { object["error"] = .string(error) }
        return .object(object)
    }
}

extension JobError {
    var json: JSON {
        ["code": .string(code), "message": .string(message), "status": .integer(Int64(status))]
    }
}
