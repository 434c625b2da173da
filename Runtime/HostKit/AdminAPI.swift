import Builds
import FunctionCore
import HTTPTrigger
import Invocations
import Journal
import NIOCore
import Observe
import Scheduling
import Settings
import UserData
import WorkerPool

/// The admin port: health, metrics, functions, invocations, the clock, schedules.
///
/// `AdminGuard` stands before all of it.
struct AdminAPI {
    let host: HostState
    let access: AdminAccess
    let jobs: JobsAPI
    let reload: @Sendable () async -> ReloadReport

    var routes: [EndpointRoute] { OpenAPIEndpoints(live: host.live).documenting(ownRoutes) }

    private var ownRoutes: [EndpointRoute] {
        [
            EndpointRoute("GET", "/healthz") { _ in .json(["status": "ok"]) },
            EndpointRoute("GET", "/readyz") { self.ready($0) },
            EndpointRoute("GET", "/metrics") { _ in await self.metrics() },
            EndpointRoute("GET", "/v1/functions") { _ in await self.functions() },
            EndpointRoute("POST", "/v1/functions/{name}/invocations", bodyLimit: 6 << 20) {
                await self.invoke($0)
            },
            EndpointRoute("GET", "/v1/functions/{name}/samples") { self.samples($0) },
            EndpointRoute("GET", "/v1/functions/{name}/trace") { await CapacityReport(host: host).trace($0) },
            EndpointRoute("GET", "/v1/capacity") { _ in CapacityReport(host: host).response() },
            EndpointRoute("GET", "/v1/clock") { _ in self.clock() },
            EndpointRoute("POST", "/v1/clock") { self.setClock($0) },
            EndpointRoute("GET", "/v1/schedule/audit") { _ in await self.rotationAudit() },
            EndpointRoute("GET", "/v1/shards/{user}") { self.shard($0) },
            EndpointRoute("GET", "/v1/credits/{user}") { await self.credits($0) },
            EndpointRoute("POST", "/v1/credits/{user}/grants") { await self.grant($0) },
            EndpointRoute("GET", "/v1/build") { _ in .json(self.host.build.current.json) },
            EndpointRoute("POST", "/v1/reload") { _ in await self.reload().response },
        ] + jobs.routes + SchedulesAPI(host: host).routes + DeadLettersAPI(redis: host.redis).routes
            + LambdaInvokeAPI(host: host).routes + LambdaStreamAPI(host: host).routes
            + LambdaFunctionsAPI(host: host).routes
            + ActivityAPI(book: host.telemetry.activity, loop: host.loop).routes
            + TracesAPI(book: host.telemetry.activity).routes
            + RecordingsAPI(host: host).routes + FaultsAPI(host: host).routes
    }

    /// Probes have no token: who shows none where there is one hears of the state alone.
    private func ready(_ request: EndpointRequest) -> EndpointResponse {
        let degraded = host.degraded
        var answer: JSONObject = [
            "status": .string(degraded.isEmpty ? "ready" : "degraded"),
            "degraded": .array(degraded.map { .string($0) }),
        ]
        if access.refusal(request.method, request.headers, .program) == nil {
            answer["isolation"] = host.isolation.json
            answer["template"] = .string(host.factory.templates.text)
        }
        return .json(.object(answer))
    }

    private func metrics() async -> EndpointResponse {
        let metrics = host.telemetry.metrics
        for (name, pool) in host.dispatcher.pools {
            guard let status = try? await pool.status().get() else { continue }
            metrics.set("swiftlet_workers", [name], to: Double(status.workers))
            metrics.set("swiftlet_connections", [name], to: Double(status.connections))
            metrics.set("swiftlet_in_flight", [name], to: Double(status.running))
            metrics.set("swiftlet_waiting", [name], to: Double(status.waiting))
            CapacityReport(host: host).note(pool.manifest, status, metrics)
        }
        CapacityReport(host: host).note(metrics)
        for count in (try? await host.stores.journal.jobs.counts()) ?? [] {
            metrics.set("swiftlet_jobs", [count.function, count.state.rawValue], to: Double(count.present))
            metrics.set(
                "swiftlet_jobs_ever_total",
                [count.function, count.state.rawValue],
                to: Double(count.ever)
            )
        }
        noteCredits(metrics)
        for rotation in host.project.book.rotations {
            let left = (rotation.covered.upperBound - host.clock.now).milliseconds / 86_400_000
            metrics.set("swiftlet_calendar_days_left", [rotation.id], to: left)
        }
        metrics.set("swiftlet_redis_up", to: host.redisIsUp ? 1 : 0)
        metrics.set("swiftlet_log_lines_dropped_total", to: Double(host.telemetry.log.dropped))
        metrics.set("swiftlet_uptime_seconds", to: Double((Monotonic.now - host.started).nanoseconds) / 1e9)
        let type = Header("content-type", "text/plain; version=0.0.4; charset=utf-8")
        return EndpointResponse(headers: [type], body: .bytes(Bytes(metrics.text())))
    }

    private func functions() async -> EndpointResponse {
        var list: [JSON] = []
        for manifest in host.project.manifests {
            let status = try? await host.dispatcher.pools[manifest.name]?.status().get()
            list.append(manifest.json(status))
        }
        return .json(["functions": .array(list)])
    }

    private func invoke(_ request: EndpointRequest) async -> EndpointResponse {
        let name = request.parameters["name"] ?? ""
        guard host.project.manifests.contains(where: { $0.name == name }) else {
            let known = host.project.manifests.map(\.name).joined(separator: ", ")
            return .failure(.notFound("there is no function \(name); there are \(known)"))
        }
        let event: Event
        do throws(FunctionError) {
            event = try readEvent(request)
        } catch {
            return .failure(error)
        }
        let caller = request.headers.first("traceparent").flatMap { TraceContext(traceparent: $0) }
        let trace = caller?.child() ?? .begin()
        var invocation = Invocation(
            id: request.id,
            function: name,
            event: event,
            trace: trace,
            parent: ParentSpan(caller, isRemote: true),
            trigger: "invoke"
        )
        do throws(FunctionError) {
            invocation.trial = try host.trials(request.headers)
        } catch {
            return .failure(error)
        }
        if request.query["async"] == "1" {
            do {
                let job = try await host.ports.accept(
                    invocation,
                    idempotencyKey: nil,
                    requestHash: "",
                    wishes: try JobWishes.query(request.query, now: host.clock.now)
                )
                return .json(["job": .string(job.id), "trace": .string(trace.traceID)], status: 202)
            } catch let error as FunctionError {
                return .failure(error)
            } catch {
                return .failure(
                    FunctionError(
                        status: 503,
                        code: "storage_failed",
                        message: "the journal took nothing; try again"
                    )
                )
            }
        }
        let reply = await host.run(invocation, limit: 6 << 20)
        let headers = [Header("x-trace-id", trace.traceID)]
        if let error = reply.outcome.error {
            var response = EndpointResponse.failure(error, invocation: invocation.id)
            response.headers += headers
            return response
        }
        return EndpointResponse(
            status: reply.status,
            headers: reply.headers + headers,
            body: .bytes(reply.body)
        )
    }

    /// A plain event's object, the document of any other, or that of a recording.
    private func readEvent(_ request: EndpointRequest) throws(FunctionError) -> Event {
        let type = request.headers.first("content-type") ?? ""
        if type.hasPrefix(EventDocument.recordingType) {
            return try EventDocument.event(recording: request.body)
        }
        guard type.hasPrefix(EventDocument.type) else {
            let body = request.body.isEmpty ? "{}" : request.body
            return Event(operation: request.query["operation"] ?? "", body: body)
        }
        guard let document = try? JSON.parse(request.body) else {
            throw .badRequest("bad_json", "the event's document is not JSON")
        }
        return try EventDocument.event(document)
    }

    /// An event for each of a function's triggers.
    private func samples(_ request: EndpointRequest) -> EndpointResponse {
        let name = request.parameters["name"] ?? ""
        guard let manifest = host.manifests[name] else {
            return .failure(.notFound("there is no function \(name)"))
        }
        let samples = SampleEvents(manifest: manifest, book: host.project.book, now: host.clock.now)
        return .json(["samples": .array(samples.all.map { EventDocument.json($0) })])
    }

    private func clock() -> EndpointResponse {
        let reading = host.clock.reading
        return .json([
            "now": .string(host.clock.now.rfc3339), "virtual": .bool(host.clock.isVirtual),
            "speed": .number(reading.speed),
        ])
    }

    private func setClock(_ request: EndpointRequest) -> EndpointResponse {
        guard host.clockMayBeSet else {
            let message = "this host runs on the real clock; only `swiftlet dev` has one that can be set"
            return .failure(.conflict("real_clock", message))
        }
        guard let body = try? JSON.parse(request.body) else {
            return .failure(
                .badRequest(
                    "bad_json",
                    "send {\"set\": instant}, {\"advance\": seconds} or {\"speed\": number}"
                )
            )
        }
        if let text = body["set"]?.stringValue {
            do throws(SchedulingError) {
                let instant = try Instant(text: text) { name throws(SchedulingError) in try .load(name) }
                host.clock.set(instant)
            } catch {
                return .failure(.invalid("set", "instant", error.message))
            }
        } else if let seconds = body["advance"]?.doubleValue {
            guard abs(seconds) <= 10 * 366 * 86_400 else {
                return .failure(
                    .invalid("advance", "range", "`advance` must be at most ten years, in seconds")
                )
            }
            host.clock.advance(.nanoseconds(Int64(seconds * 1e9)))
        } else if let speed = body["speed"]?.doubleValue, (0...100_000).contains(speed) {
            host.clock.setSpeed(speed)
        } else {
            return .failure(.invalid("speed", "range", "send one of set, advance, or speed from 0 to 100000"))
        }
        return clock()
    }

    private func shard(_ request: EndpointRequest) -> EndpointResponse {
        guard let user = request.parameters["user"].flatMap({ Int($0) }) else {
            return .failure(.invalid("user", "integer", "`user` must be a whole number from 1"))
        }
        do {
            let place = try ShardPlace(user: user)
            let file = try host.stores.shards.locate(user)
            return .json([
                "user": .integer(Int64(user)), "shard": .integer(Int64(place.number)), "file": .string(file),
            ])
        } catch let error as FunctionError {
            return .failure(error)
        } catch {
            return .failure(
                FunctionError(status: 503, code: "storage_failed", message: "the shard cannot be found")
            )
        }
    }
}

extension Manifest {
    /// The function as the admin API shows it.
    func json(_ status: PoolStatus?) -> JSON {
        let routes = self.routes.map { JSON.string("\($0.method) \($0.path)") }
        let streams = self.streams.map { JSON.string("\($0.stream) (group \($0.group))") }
        var object: JSONObject = [
            "name": .string(name), "summary": .string(summary), "routes": .array(routes),
            "streams": .array(streams), "lists": .array(lists.map { .string($0.list) }),
            "channels": .array(channels.map { .string($0.channel) }),
            "websockets": .array(webSockets.map { .string("websocket \($0.path)") }),
            "bindings": .array(grants.map { .string($0.binding) }), "file": .string(file),
            "timeout_seconds": .number(limits.timeout.milliseconds / 1000),
        ]
        if let status {
            object["workers"] = .integer(Int64(status.workers))
            object["connections"] = .integer(Int64(status.connections))
            object["idle"] = .integer(Int64(status.idle))
            object["running"] = .integer(Int64(status.running))
            object["waiting"] = .integer(Int64(status.waiting))
            object["pending"] = .integer(Int64(status.pending))
            if let wanted = status.wanted { object["wanted"] = .integer(Int64(wanted)) }
            if let why = status.why { object["why"] = .string(why) }
            object["worker_seconds"] = .number(status.workerSeconds)
            object["memory_mebibyte_seconds"] = .number(CapacityReport.memorySeconds(self, status))
            object["pids"] = .array(status.pids.map { .integer(Int64($0)) })
        }
        return .object(object)
    }
}

extension HostState {
    /// What does not work as it should, in sentences.
    var degraded: [String] {
        var degraded: [String] = []
        if !redisIsUp {
            degraded.append("redis is unavailable: state answers 503, events wait in the outbox")
            if stores.journal.jobs.isShared {
                degraded.append("the journal is in redis: no job is accepted, and none begins")
            }
        }
        degraded += project.expired(at: clock.now).map { rotation in
            "calendar_expired: the rotation \(rotation.id) opens no window since \(rotation.since.rfc3339)"
        }
        return degraded
    }
}
