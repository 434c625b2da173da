import Activity
import FunctionCore
import HTTPTrigger
import Invocations
import Observe
import Synchronization
import WorkerPool

/// Turns what the parts of the host report into log lines and metrics.
///
/// Threading: any; quick, and never waits.
package final class Telemetry: Sendable {
    package let log: LogWriter
    package let metrics: Metrics
    package let tails = LogTails()
    package let activity = ActivityBook()
    let rates: ConsoleRates
    let clock: any HostClock
    private let invocations = Mutex(SeriesTable<InvocationKey, InvocationSeries>())
    private let requests = Mutex(SeriesTable<RequestKey, RequestSeries>())

    package init(log: LogWriter, clock: any HostClock) {
        self.log = log
        self.clock = clock
        self.metrics = Metrics(
            Telemetry.families + CapacityReport.families + AdminAPI.creditFamilies + SchedulesAPI.families
        )
        rates = ConsoleRates(metrics)
    }

    private static let families: [Metrics.Family] = [
        .init(
            "swiftlet_invocations_total",
            .counter,
            labels: ["function", "trigger", "outcome"],
            help: "Invocations that have ended."
        ),
        .init(
            "swiftlet_invocation_seconds",
            .histogram,
            labels: ["function"],
            help: "From a worker's having an invocation to its end."
        ),
        .init(
            "swiftlet_queue_seconds",
            .histogram,
            labels: ["function"],
            help: "From an invocation's arrival to a worker's having it."
        ),
        .init(
            "swiftlet_cold_starts_total",
            .counter,
            labels: ["function"],
            help: "Invocations for which a worker was started."
        ),
        .init("swiftlet_workers", .gauge, labels: ["function"], help: "Worker processes."),
        .init(
            "swiftlet_connections",
            .gauge,
            labels: ["function"],
            help: "Users who are connected: by WebSocket, or by a stream that is open."
        ),
        .init("swiftlet_in_flight", .gauge, labels: ["function"], help: "Invocations that run."),
        .init("swiftlet_waiting", .gauge, labels: ["function"], help: "Invocations that wait for a worker."),
        .init(
            "swiftlet_worker_exits_total",
            .counter,
            labels: ["function", "asked"],
            help: "Workers that have ended."
        ),
        .init(
            "swiftlet_http_requests_total",
            .counter,
            labels: ["method", "route", "status"],
            help: "Requests answered by the gateway."
        ),
        .init(
            "swiftlet_http_request_seconds",
            .histogram,
            labels: ["route"],
            help: "From a request's head to the last byte of its reply."
        ),
        .init(
            "swiftlet_rate_limited_total",
            .counter,
            labels: ["function"],
            help: "Requests refused by a rate limit."
        ),
        .init("swiftlet_jobs", .gauge, labels: ["function", "state"], help: "Jobs in the journal."),
        .init(
            "swiftlet_jobs_ever_total",
            .counter,
            labels: ["function", "state"],
            help: "Jobs that have ever been in a state."
        ),
        .init(
            "swiftlet_stream_entries_total",
            .counter,
            labels: ["stream", "group", "result"],
            help: "Entries of Redis streams by what became of them; of lists with the group `list`."
        ),
        .init(
            "swiftlet_channel_messages_total",
            .counter,
            labels: ["channel", "result"],
            help: "Messages of Redis channels: delivered, of these failed; dropped by a full buffer."
        ),
        .init(
            "swiftlet_stream_lag",
            .gauge,
            labels: ["stream", "group"],
            help: "Entries that a group has still to read; of a list, its elements."
        ),
        .init(
            "swiftlet_stream_pending",
            .gauge,
            labels: ["stream", "group"],
            help: "Entries that are read and not settled, by all hosts; of a list, by this one."
        ),
        .init("swiftlet_redis_up", .gauge, help: "Whether Redis answers."),
        .init("swiftlet_outbox_pending", .gauge, help: "Events that wait to be relayed."),
        .init(
            "swiftlet_deliveries",
            .gauge,
            labels: ["state"],
            help: "What is still to be told of jobs' ends: waiting, or given up."
        ),
        .init("swiftlet_events_relayed_total", .counter, help: "Events relayed to Redis."),
        .init(
            "swiftlet_window_open",
            .gauge,
            labels: ["rotation", "window"],
            help: "Whether a window of a rotation is open."
        ),
        .init(
            "swiftlet_window_late_total",
            .counter,
            labels: ["rotation", "window"],
            help: "Windows that had not opened when the rotation's gap was over."
        ),
        .init(
            "swiftlet_calendar_days_left",
            .gauge,
            labels: ["rotation"],
            help: "Days until a rotation's calendar has no answer, negative after."
        ),
        .init(
            "swiftlet_recordings_total",
            .counter,
            labels: ["result"],
            help: "Invocations that were to be kept: kept, or given up as no file could be written."
        ),
        .init("swiftlet_log_lines_dropped_total", .counter, help: "Log lines that were dropped."),
        .init("swiftlet_uptime_seconds", .gauge, help: "Since the host was ready, on the real clock."),
    ]

    /// A line of the host itself.
    package func note(
        _ level: LogLevel,
        _ message: String,
        function: String? = nil,
        _ fields: [(String, JSON)] = []
    ) {
        let record = LogRecord(
            time: clock.now,
            level: level,
            message: message,
            function: function,
            fields: fields
        )
        log.write(record)
        enter(record)
    }

    /// What a pool reports.
    package func pool(_ report: PoolReport) {
        tails.hear(report)
        switch report {
        case .invocation(let report): invocation(report)
        case .line(let line): handlerLine(line)
        case .recorded: break
        case .workerReady(let function, let pid, let startup):
            enter(function, pid, .ready, startup: startup)
            let fields: [(String, JSON)] = [
                ("worker", .integer(Int64(pid))), ("startup_ms", .number(rounded(startup))),
            ]
            note(.debug, "worker ready", function: function, fields)
        case .workerGone(let function, let pid, let reason, let asked):
            metrics.add("swiftlet_worker_exits_total", [function, asked ? "yes" : "no"])
            enter(function, pid, .gone, reason: reason, asked: asked)
            let fields: [(String, JSON)] = [("worker", .integer(Int64(pid))), ("reason", .string(reason))]
            note(asked ? .debug : .warning, asked ? "worker gone" : "worker lost", function: function, fields)
        case .lacksRoom(let function, let lacking):
            let remedy = "GET /v1/capacity on the admin port tells who holds it"
            let fields: [(String, JSON)] = [("lacks", .string(lacking)), ("remedy", .string(remedy))]
            note(.warning, "worker waits for room on the host", function: function, fields)
        case .spawnFailed(let function, let reason):
            enter(function, 0, .failed, reason: reason)
            note(.error, "worker cannot start", function: function, [("reason", .string(reason))])
        }
    }

    private func invocation(_ report: InvocationReport) {
        let label = report.outcome.label
        let series = series(report.function, report.trigger, label)
        series.total.add(1)
        if report.pid != 0 {
            metrics.observe(series.ran, report.ran)
            metrics.observe(series.queued, report.queued)
        }
        if report.cold { metrics.add("swiftlet_cold_starts_total", [report.function]) }
        let error = report.outcome.error
        let time = clock.now
        enter(report, error, at: time)
        let level = error.map { $0.status >= 500 } ?? false ? LogLevel.warning : .info
        guard log.takes(level) else { return }
        var status: Int?
        if case .replied(let replied) = report.outcome { status = replied }
        log.write(
            InvocationLine(
                time: time,
                level: level,
                function: report.function,
                invocation: report.id,
                trace: report.traceID,
                trigger: report.trigger,
                outcome: label,
                ran: report.ran,
                queued: report.queued,
                cold: report.cold,
                worker: report.pid,
                attempt: report.attempt,
                status: status,
                error: error
            )
        )
    }

    private func handlerLine(_ line: LogLine) {
        let time = clock.now
        enter(line, at: time)
        var fields: [(String, JSON)] = line.metadata.sorted { $0.key < $1.key }.map {
            ($0.key, .string($0.value))
        }
        fields.append(("source", .string(line.source)))
        fields.append(("worker", .integer(Int64(line.pid))))
        log.write(
            LogRecord(
                time: time,
                level: line.level,
                message: line.message,
                function: line.function,
                invocation: line.invocation,
                trace: line.traceID,
                fields: fields
            )
        )
    }

    /// What the gateway reports.
    package func request(_ report: RequestReport) {
        let route = report.pattern ?? "none"
        let series = series(report.method, route, report.status)
        series.total.add(1)
        metrics.observe(series.seconds, report.duration)
        guard log.takes(.debug) else { return }
        let fields: [(String, JSON)] = [
            ("method", .string(report.method)), ("route", .string(route)),
            ("status", .integer(Int64(report.status))),
            ("duration_ms", .number(rounded(report.duration))), ("bytes_in", .integer(Int64(report.bytesIn))),
            ("bytes_out", .integer(Int64(report.bytesOut))), ("request", .string(report.invocation)),
            ("client", .string(report.client)),
        ]
        note(.debug, "request", function: report.function, fields)
    }

    private func rounded(_ duration: Duration) -> Double {
        (duration.milliseconds * 1000).rounded() / 1000
    }
}

// MARK: - The series of what is reported most

/// One lookup a report takes the place of one a metric, each with a list of labels.
///
/// There are no more keys than series of the metrics, which are bounded.
extension Telemetry {
    /// Series by key.
    ///
    /// Under load most reports are for the same one as the last, which costs no hash.
    fileprivate struct SeriesTable<Key: Hashable & Sendable, Series: Sendable>: Sendable {
        private var known: [Key: Series] = [:]
        private var last: (key: Key, series: Series)?

        mutating func series(_ key: Key, make: () -> Series) -> Series {
            if let last, last.key == key { return last.series }
            let series = known[key] ?? make()
            known[key] = series
            last = (key, series)
            return series
        }
    }

    fileprivate struct InvocationKey: Hashable {
        var function: String
        var trigger: String
        var outcome: String
    }

    fileprivate struct InvocationSeries {
        var total: NumberSeries
        var ran: HistogramSeries?
        var queued: HistogramSeries?
    }

    fileprivate struct RequestKey: Hashable {
        var method: String
        var route: String
        var status: Int
    }

    fileprivate struct RequestSeries {
        var total: NumberSeries
        var seconds: HistogramSeries?
    }

    private func series(_ function: String, _ trigger: String, _ outcome: String) -> InvocationSeries {
        let key = InvocationKey(function: function, trigger: trigger, outcome: outcome)
        return invocations.withLock { known in
            known.series(key) {
                InvocationSeries(
                    total: metrics.number("swiftlet_invocations_total", [function, trigger, outcome]),
                    ran: metrics.histogram("swiftlet_invocation_seconds", [function]),
                    queued: metrics.histogram("swiftlet_queue_seconds", [function])
                )
            }
        }
    }

    private func series(_ method: String, _ route: String, _ status: Int) -> RequestSeries {
        let key = RequestKey(method: method, route: route, status: status)
        return requests.withLock { known in
            known.series(key) {
                RequestSeries(
                    total: metrics.number("swiftlet_http_requests_total", [method, route, String(status)]),
                    seconds: metrics.histogram("swiftlet_http_request_seconds", [route])
                )
            }
        }
    }
}
