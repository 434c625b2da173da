import FunctionCore
import HTTPTrigger
import Invocations
import Journal
import Observe
import Scheduling
import Settings

/// The admin API's part on schedules: what runs when, what became of each time, and the operator's wishes.
struct SchedulesAPI {
    let host: HostState

    /// The metrics of schedules.
    static let families: [Metrics.Family] = [
        .init(
            "swiftlet_schedule_runs_total",
            .counter,
            labels: ["schedule", "verdict"],
            help: "Nominal times by verdict."
        ),
        .init(
            "swiftlet_schedule_lateness_seconds",
            .histogram,
            labels: ["schedule"],
            help: "From when a run was due to when it was on the disk."
        ),
        .init(
            "swiftlet_schedule_missed_total",
            .counter,
            labels: ["schedule", "reason"],
            help: "Nominal times that could not be run."
        ),
        .init(
            "swiftlet_schedule_skipped_total",
            .counter,
            labels: ["schedule", "reason"],
            help: "Nominal times that were not to be run."
        ),
        .init(
            "swiftlet_schedule_overlaps_total",
            .counter,
            labels: ["schedule"],
            help: "Nominal times that came while an earlier run was on."
        ),
        .init(
            "swiftlet_schedule_cancelled_total",
            .counter,
            labels: ["schedule"],
            help: "Runs that were cancelled for the sake of a later time."
        ),
    ]

    var routes: [EndpointRoute] {
        [
            EndpointRoute("GET", "/v1/schedule") { _ in await self.answer { await self.list() } },
            EndpointRoute("GET", "/v1/schedule/next") { request in
                await self.answer { try await self.next(request) }
            },
            EndpointRoute("GET", "/v1/schedules/{id}") { request in
                await self.answer { try await self.show(self.entry(request)) }
            },
            EndpointRoute("GET", "/v1/schedules/{id}/history") { request in
                await self.answer { try await self.history(request) }
            },
            EndpointRoute("GET", "/v1/schedules/{id}/times/{time}") { request in
                await self.answer { try await self.why(request) }
            },
            EndpointRoute("POST", "/v1/schedules/{id}/pause") { request in
                await self.answer { try await self.pause(request) }
            },
            EndpointRoute("POST", "/v1/schedules/{id}/resume") { request in
                await self.answer {
                    let entry = try self.entry(request)
                    try await self.host.scheduler.resume(entry.id)
                    return try await self.show(entry)
                }
            },
            EndpointRoute("POST", "/v1/schedules/{id}/trigger") { request in
                await self.answer {
                    let decisions = try await self.host.scheduler.trigger(self.entry(request))
                    return .json(["times": .array(decisions.map(\.json))])
                }
            },
            EndpointRoute("POST", "/v1/schedules/{id}/backfill") { request in
                await self.answer { try await self.backfill(request) }
            },
        ]
    }

    private func answer(_ body: () async throws -> EndpointResponse) async -> EndpointResponse {
        await .answering(else: "the scheduler took nothing; the host's log has the cause", body)
    }

    private func entry(_ request: EndpointRequest) throws -> ScheduleEntry {
        let id = request.parameters["id"] ?? ""
        let entries = host.project.book.entries
        if let entry = entries.first(where: { $0.id == id }) { return entry }
        let near = nearest(id, entries.map(\.id)).map { "did you mean \($0)?" }
        throw FunctionError.notFound("there is no schedule \(id); \(near ?? "`schedule list` names them")")
    }

    private func instant(_ text: String?, _ field: String) throws -> Instant {
        guard let text, let instant = Instant(rfc3339: text) else {
            let message = "`\(field)` must be an instant such as 2026-11-20T14:25:00Z"
            throw FunctionError.invalid(field, "instant", message)
        }
        return instant
    }

    // MARK: Looking

    private func list() async -> EndpointResponse {
        let windows: [JSON] = await host.scheduler.windows().map {
            var object: JSONObject = [
                "rotation": .string($0.rotation), "window": .string($0.window), "stage": .string($0.stage),
            ]
            if let token = $0.token { object["token"] = .integer(Int64(clamping: token)) }
            return .object(object)
        }
        let entries = await host.scheduler.standings(of: host.project.book.entries)
        return .json([
            "now": .string(host.clock.now.rfc3339), "windows": .array(windows),
            "schedules": .array(entries.map(\.json)),
        ])
    }

    private func next(_ request: EndpointRequest) async throws -> EndpointResponse {
        let count = min(max(request.query["count"].flatMap { Int($0) } ?? 5, 1), SchedulePlan.previewLimit)
        let until = try request.query["until"].map { try instant($0, "until") }
        let name = request.query["name"] ?? request.query["function"]
        if let name, !host.project.plan.knows(name) {
            throw FunctionError.notFound(host.project.plan.unknown(name))
        }
        let preview = await host.scheduler.upcoming(count, of: name, until: until)
        return .json([
            "now": .string(host.clock.now.rfc3339), "next": .array(preview.upcoming.map(\.json)),
            "faults": .array(preview.faults.map { .string($0.message) }),
        ])
    }

    private func show(_ entry: ScheduleEntry) async throws -> EndpointResponse {
        let standing = await host.scheduler.standings(of: [entry])[0]
        guard case .object(var object) = standing.json else { return .json(standing.json) }
        object["limits"] = .string(entry.limits.text)
        object["policy"] = entry.policy.json
        object["event"] = host.project.book.inputs[entry.id] ?? .null
        object["revision"] = .string(String(entry.revision, radix: 16))
        object["history"] = .array(
            try await host.stores.journal.schedules.entries(entry.id, limit: 10).map(\.json)
        )
        return .json(["schedule": .object(object)])
    }

    private func history(_ request: EndpointRequest) async throws -> EndpointResponse {
        let rows = try await host.stores.journal.schedules.entries(
            entry(request).id,
            before: try request.query["before"].map { try instant($0, "before") },
            limit: request.query["limit"].flatMap { Int($0) } ?? 100
        )
        return .json(withAccount(["times": .array(rows.map(\.json))]))
    }

    /// Where hosts share a Redis, whose account of its times this is.
    private func withAccount(_ object: JSONObject) -> JSON {
        var object = object
        object["host"] = host.stores.journal.sharedSchedules.map { .string($0.account) }
        return .object(object)
    }

    private func why(_ request: EndpointRequest) async throws -> EndpointResponse {
        let entry = try entry(request)
        let nominal = try instant(request.parameters["time"], "time")
        return .json(withAccount(try await host.scheduler.why(entry, nominal)))
    }

    // MARK: Wishes

    private func pause(_ request: EndpointRequest) async throws -> EndpointResponse {
        let entry = try entry(request)
        let note = (try? JSON.parse(request.body))?["note"]?.stringValue ?? "by the operator"
        guard (1...500).contains(note.utf8.count) else {
            throw FunctionError.invalid("note", "length", "`note` must have 1 to 500 bytes")
        }
        try await host.scheduler.pause(entry.id, note: note)
        return try await show(entry)
    }

    private func backfill(_ request: EndpointRequest) async throws -> EndpointResponse {
        let entry = try entry(request)
        let body = try? JSON.parse(request.body)
        let from = try instant(body?["from"]?.stringValue, "from")
        let to = try instant(body?["to"]?.stringValue, "to")
        guard from <= to else {
            throw FunctionError.invalid("to", "range", "`to` must not be before `from`")
        }
        let decisions = try await host.scheduler.backfill(entry, from...to)
        return .json(["times": .array(decisions.map(\.json))])
    }
}
