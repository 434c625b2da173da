import Console
import FunctionCore
import Glibc
import HTTPTrigger
import Invocations
import NIOCore
import Observe
import RedisTrigger
import Scaling
import WorkerPool

/// What the console shows of workers and of Redis.
extension ConsoleRoutes {
    var workerRoutes: [EndpointRoute] {
        [
            page("/console/workers") { _ in await self.workers().page },
            live("/console/live/workers") { _ in await self.workers().parts },
            page("/console/streams") { _ in await self.streams().page },
            live("/console/live/streams") { _ in await self.streams().parts },
            page("/console/streams/one") { try await self.stream($0).page },
        ]
    }

    // MARK: Workers

    private func workers() async -> WorkersView {
        var (workers, pools): ([WorkersView.Worker], [WorkersView.Pool]) = ([], [])
        let exits = host.telemetry.metrics.numbers(of: "swiftlet_worker_exits_total")
        for manifest in host.project.manifests {
            guard let pool = host.dispatcher.pools[manifest.name] else { continue }
            let standings = (try? await pool.workers().get()) ?? []
            for worker in standings {
                workers.append(
                    WorkersView.Worker(
                        function: manifest.name,
                        pid: worker.pid,
                        state: worker.state,
                        inFlight: worker.inFlight,
                        age: worker.age,
                        memory: residentMemory(of: worker.pid)
                    )
                )
            }
            let status = try? await pool.status().get()
            pools.append(
                WorkersView.Pool(
                    function: manifest.name,
                    workers: standings.count,
                    max: manifest.scale.max,
                    pending: status?.pending ?? 0,
                    retired: Int(exits[[manifest.name, "yes"]] ?? 0),
                    lost: Int(exits[[manifest.name, "no"]] ?? 0)
                )
            )
        }
        let standing = host.factory.capacity.standing
        return WorkersView(
            workers: workers,
            pools: pools,
            resources: standing.total.keys.sorted().map {
                WorkersView.Resource(
                    name: $0.name,
                    total: Int(standing.total[$0] ?? 0),
                    free: Int(standing.free[$0] ?? 0)
                )
            },
            waiting: standing.waiting.map {
                "A worker of \($0.function) waits for room since \(spoken($0.waited)): it lacks \($0.lacking.text)."
            }
        )
    }

    /// What a process has in memory, shared pages included; nil once it is gone.
    private func residentMemory(of pid: Int32) -> Int? {
        guard let text = readText("/proc/\(pid)/statm") else { return nil }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return pages.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
    }

    // MARK: Redis

    private func streams() async -> StreamsView {
        var readers: [String: [String]] = [:]
        var kinds: [String: String] = [:]
        for manifest in host.project.manifests {
            for stream in manifest.streams {
                readers[stream.stream, default: []].append(manifest.name)
                kinds[stream.stream] = "stream"
            }
            for list in manifest.lists {
                readers[list.list, default: []].append(manifest.name)
                kinds[list.list] = "list"
            }
        }
        var rows: [StreamsView.Row] = []
        for (key, functions) in readers.sorted(by: { $0.key < $1.key }) {
            let kind = kinds[key] ?? ""
            let length = try? await host.redis.send([kind == "list" ? "LLEN" : "XLEN", key]).int
            rows.append(StreamsView.Row(key: key, kind: kind, length: length, functions: functions))
        }
        return StreamsView(rows: rows)
    }

    private func stream(_ request: EndpointRequest) async throws -> StreamView {
        let key = try key(request)
        if host.project.manifests.contains(where: { $0.lists.contains { $0.list == key } }) {
            let items = try await host.redis.send(["LRANGE", key, "0", "49"]).array ?? []
            let entries = items.enumerated().map { (String($0.offset), shortened($0.element.text ?? "")) }
            let length = try await host.redis.send(["LLEN", key]).int ?? 0
            return StreamView(key: key, length: length, groups: [], entries: entries)
        }
        // A stream that nobody has written to yet has no groups to tell of.
        let groups = (try? await host.redis.send(["XINFO", "GROUPS", key]).array) ?? []
        let entries = try await host.redis.send(["XREVRANGE", key, "+", "-", "COUNT", "50"]).array ?? []
        return StreamView(
            key: key,
            length: try await host.redis.send(["XLEN", key]).int ?? 0,
            groups: groups.map { StreamView.Group($0.pairs) },
            entries: entries.compactMap { entry in
                guard let parts = entry.array, parts.count == 2, let id = parts[0].text else { return nil }
                let fields = (parts[1].array ?? []).map { shortened($0.text ?? "") }
                let pairs = stride(from: 0, to: fields.count - 1, by: 2).map {
                    "\(fields[$0])=\(fields[$0 + 1])"
                }
                return (id, pairs.joined(separator: " "))
            }
        )
    }
}

extension RedisValue {
    /// Names and values that follow each other in a list.
    fileprivate var pairs: [String: RedisValue] {
        guard let list = array else { return [:] }
        return stride(from: 0, to: list.count - 1, by: 2).reduce(into: [:]) {
            $0[list[$1].text ?? ""] = list[$1 + 1]
        }
    }
}

extension StreamView.Group {
    fileprivate init(_ pairs: [String: RedisValue]) {
        self.init(
            name: pairs["name"]?.text ?? "",
            consumers: pairs["consumers"]?.int ?? 0,
            pending: pairs["pending"]?.int ?? 0,
            lag: pairs["lag"]?.int,
            last: pairs["last-delivered-id"]?.text ?? ""
        )
    }
}
