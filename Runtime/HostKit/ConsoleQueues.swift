import Activity
import Console
import FunctionCore
import HTTPTrigger
import Invocations
import Journal
import RedisTrigger

/// What the console shows of jobs, streams and lists, and how their dead letters are sent again.
extension ConsoleRoutes {
    private var engine: any JobEngine { host.stores.journal.jobs }

    var queueRoutes: [EndpointRoute] {
        [
            page("/console/queues") { try await self.queues($0).page },
            live("/console/live/queues") { try await self.queues($0).parts },
            page("/console/jobs/{id}") { try await self.job($0).page(now: self.host.clock.now) },
            page("/console/dead-letters") { try await self.letters($0).page },
            form("/console/job/retry/{id}") { request in
                let id = request.parameters["id"] ?? ""
                _ = try await self.engine.revive(id, now: self.host.clock.now)
                return "/console/jobs/\(id)?done=retried"
            },
            form("/console/job/cancel/{id}") { request in
                let id = request.parameters["id"] ?? ""
                _ = try await self.jobs.runner.cancel(id)
                return "/console/jobs/\(id)?done=cancelled"
            },
            form("/console/jobs/redrive") { request in
                let filter = JobFilter(function: request.query["function"], limit: 500)
                _ = try await self.engine.redrive(filter, now: self.host.clock.now)
                return "/console/queues?done=redriven"
            },
            form("/console/dead-letters/redrive") { request in
                let (letters, ids) = try await self.chosen(request)
                _ = try await letters.redrive(ids)
                return "/console/queues?done=redriven"
            },
            form("/console/dead-letters/purge") { request in
                let (letters, ids) = try await self.chosen(request)
                _ = try await letters.purge(ids)
                return "/console/queues?done=purged"
            },
        ]
    }

    // MARK: Jobs

    private func queues(_ request: EndpointRequest) async throws -> QueuesView {
        let state = request.query["state"].flatMap(JobState.init(rawValue:))
        let before = request.query["before"].flatMap { Int64($0) }
        let found = try await engine.list(
            JobFilter(states: state.map { [$0] } ?? [], before: before, limit: 51)
        )
        var counts: [String: [String: Int]] = [:]
        for count in try await engine.counts() where count.present > 0 {
            counts[count.function, default: [:]][count.state.rawValue, default: 0] += count.present
        }
        return QueuesView(
            now: host.clock.now,
            jobs: counts.sorted { $0.key < $1.key }.map {
                QueuesView.Jobs(function: $0.key, counts: $0.value)
            },
            sources: await sources(),
            latest: found.prefix(50).map { JobView($0) },
            state: state?.rawValue,
            next: found.count > 50 ? found[49].number : nil
        )
    }

    private func job(_ request: EndpointRequest) async throws -> JobView {
        let id = request.parameters["id"] ?? ""
        guard let job = try await engine.job(id) else {
            throw FunctionError.notFound("There is no job \(id); it may have been pruned.")
        }
        var view = JobView(job)
        view.trigger = job.trigger
        view.result = job.result.map { $0.json.bytes(pretty: true).text } ?? ""
        view.isKnown = host.telemetry.activity.entry(id) != nil
        view.attempts = try await engine.attempts(of: job).map {
            JobView.Attempt(
                attempt: $0.attempt,
                outcome: $0.end.outcome,
                started: $0.started,
                took: $0.ended - $0.started,
                error: $0.error.map { "\($0.code): \($0.message)" } ?? ""
            )
        }
        return view
    }

    // MARK: Streams and lists

    /// Those that functions read; where Redis does not answer, without numbers.
    func sources() async -> [QueuesView.Source] {
        var sources: [QueuesView.Source] = []
        for manifest in host.project.manifests {
            for stream in manifest.streams {
                let counts = try? await StreamCounts.read(
                    stream: stream.stream,
                    group: stream.group,
                    from: host.redis
                )
                sources.append(
                    QueuesView.Source(
                        key: stream.stream,
                        group: stream.group,
                        function: manifest.name,
                        lag: counts?.lag,
                        pending: counts?.pending,
                        dead: try? await DeadLetters(of: stream.stream, client: host.redis).count()
                    )
                )
            }
            for list in manifest.lists {
                let waiting = try? await host.redis.send(["LLEN", list.list]).int
                sources.append(
                    QueuesView.Source(
                        key: list.list,
                        group: "list",
                        function: manifest.name,
                        lag: waiting,
                        pending: nil,
                        dead: try? await DeadLetters(of: list.list, client: host.redis).count()
                    )
                )
            }
        }
        return sources
    }

    private func letters(_ request: EndpointRequest) async throws -> DeadLettersView {
        let key = try key(request)
        let letters = DeadLetters(of: key, client: host.redis)
        return DeadLettersView(
            key: key,
            count: try await letters.count(),
            letters: try await letters.list(limit: 100).map { letter in
                func field(_ name: String) -> String { letter[Bytes(name)]?.text ?? "" }
                let own = (letter.fields ?? []).filter { !$0.name.text.hasPrefix("dead.") }
                return DeadLettersView.Letter(
                    id: letter.id,
                    code: field("dead.code"),
                    message: field("dead.message"),
                    attempts: field("dead.attempts"),
                    fields: own.map { "\($0.name.text)=\(shortened($0.value.text))" }.joined(separator: " ")
                )
            }
        )
    }

    /// A source that a function reads: others are none of the console's.
    func key(_ request: EndpointRequest) throws -> String {
        let key = request.query["key"] ?? ""
        let known = host.project.manifests.flatMap { $0.streams.map(\.stream) + $0.lists.map(\.list) }
        guard known.contains(key) else {
            throw FunctionError.notFound("No function reads \(shortened(key)).")
        }
        return key
    }

    private func chosen(_ request: EndpointRequest) async throws -> (DeadLetters, [String]) {
        let letters = DeadLetters(of: try key(request), client: host.redis)
        if let id = request.query["id"], !id.isEmpty { return (letters, [id]) }
        return (letters, try await letters.ids())
    }
}

/// So much of a text as a table has room for.
func shortened(_ text: String, to length: Int = 200) -> String {
    text.count > length ? text.prefix(length) + "…" : text
}

extension JobView {
    fileprivate init(_ job: JobRecord) {
        self.init(
            id: job.id,
            function: job.function,
            state: job.state.rawValue,
            attempt: job.attempt,
            maxAttempts: job.maxAttempts,
            created: job.created,
            updated: job.updated,
            stage: job.stage,
            percent: job.percent,
            error: job.error.map { "\($0.code): \($0.message)" },
            isDeadLetter: [.failed, .expired].contains(job.state),
            isOver: job.state.isFinal
        )
    }
}
