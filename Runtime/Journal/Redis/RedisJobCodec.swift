import FunctionCore
import Invocations
import RedisTrigger
import Storage

/// A job as its hash has it, and the count of that hash's changes, which guards the next one.
struct StoredJob: Sendable {
    var record: JobRecord
    var version: Int64
}

/// Jobs as hashes of texts, readable by hand; instants are nanoseconds since the epoch.
enum RedisJobCodec {
    /// All but bodies, which may be megabytes each.
    static let light: [Bytes] = fixed.map(\.field) + changing.map(\.field) + ["number", "v"]

    private struct Field {
        let field: Bytes
        let text: @Sendable (JobRecord) -> String?
    }

    private static let fixed: [Field] = [
        Field(field: "id") { $0.id },
        Field(field: "function") { $0.function },
        Field(field: "operation") { $0.operation },
        Field(field: "trigger") { $0.trigger },
        Field(field: "owner") { $0.owner },
        Field(field: "trace") { $0.trace.traceparent },
        Field(field: "maxAttempts") { "\($0.maxAttempts)" },
        Field(field: "maxRecoveries") { "\($0.life.maxRecoveries)" },
        Field(field: "lane") { $0.place.key },
        Field(field: "priority") { "\($0.place.priority)" },
        Field(field: "ordered") { $0.place.isOrdered ? "1" : "0" },
        Field(field: "created") { "\($0.created.nanoseconds)" },
        Field(field: "depth") { "\($0.depth)" },
        Field(field: "idempotencyKey") { $0.idempotencyKey },
    ]

    private static let changing: [Field] = [
        Field(field: "state") { $0.state.rawValue },
        Field(field: "revision") { "\($0.revision)" },
        Field(field: "attempt") { "\($0.attempt)" },
        Field(field: "recoveries") { "\($0.life.recoveries)" },
        Field(field: "claims") { "\($0.life.claims)" },
        Field(field: "lease") { $0.lease.map { "\($0)" } },
        Field(field: "leaseUntil") { $0.life.lease.map { "\($0.until.nanoseconds)" } },
        Field(field: "runAt") { "\($0.runAt.nanoseconds)" },
        Field(field: "stage") { $0.stage },
        Field(field: "percent") { "\($0.percent)" },
        Field(field: "ready") { $0.place.isReady ? "1" : "0" },
        Field(field: "expires") { $0.expires.map { "\($0.nanoseconds)" } },
        Field(field: "updated") { "\($0.updated.nanoseconds)" },
        Field(field: "claimed") { $0.claimed.map { "\($0.nanoseconds)" } },
        Field(field: "worker") { $0.worker },
        Field(field: "errorCode") { $0.error?.code },
        Field(field: "errorMessage") { $0.error?.message },
        Field(field: "errorStatus") { $0.error.map { "\($0.status)" } },
        Field(field: "resultStatus") { $0.result.map { "\($0.status)" } },
        Field(field: "resultType") { $0.result?.contentType },
        Field(field: "resultBlob") { $0.result?.blob },
        Field(field: "resultSize") { $0.result.map { "\($0.size)" } },
    ]

    /// All fields of a new job, but its number.
    static func fields(of job: JobRecord) -> [Bytes] {
        (fixed + changing).flatMap { field in field.text(job).map { [field.field, Bytes($0)] } ?? [] }
            + ["v", "1", "body", job.body]
    }

    /// What differs: fields with their new texts, and fields that are gone.
    static func difference(_ job: JobRecord, from before: JobRecord) -> (set: [Bytes], gone: [Bytes]) {
        var (set, gone): ([Bytes], [Bytes]) = ([], [])
        for field in changing {
            let text = field.text(job)
            if text == field.text(before) { continue }
            if let text { set += [field.field, Bytes(text)] } else { gone.append(field.field) }
        }
        return (set, gone)
    }

    /// A job out of the fields of `light`; nil where there is none.
    static func job(light reply: RedisValue) throws -> StoredJob? {
        let pairs = zip(light, reply.array ?? []).compactMap { field, value in
            value.bytes.map { (field, $0) }
        }
        return try job(Dictionary(pairs) { first, _ in first })
    }

    /// A job out of all its fields; nil where there is none.
    static func job(all reply: RedisValue) throws -> StoredJob? { try job(table(reply)) }

    /// The fields of a hash.
    static func table(_ reply: RedisValue) -> [Bytes: Bytes] {
        let words = (reply.array ?? []).map { $0.bytes ?? Bytes() }
        let pairs = stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }
        return Dictionary(pairs) { first, _ in first }
    }

    private static func job(_ table: [Bytes: Bytes]) throws -> StoredJob? {
        guard let id = table["id"]?.text else { return nil }
        let row = RedisRow(table)
        guard let state = row.text("state").flatMap(JobState.init(rawValue:)),
            let number = row.int64("number"),
            let trace = row.text("trace").flatMap({ TraceContext(traceparent: $0) }),
            let version = row.int64("v")
        else { throw StorageError(.corrupt, "job \(id) in Redis has fields that no swiftlet writes") }
        let record = JobRecord(
            number: number,
            id: id,
            function: row.text("function") ?? "",
            operation: row.text("operation") ?? "",
            body: table["body"] ?? Bytes(),
            trigger: row.text("trigger") ?? "",
            owner: row.text("owner"),
            trace: trace,
            life: life(row, state),
            place: JobPlace(
                key: row.text("lane") ?? "",
                priority: row.int("priority") ?? 0,
                isOrdered: row.text("ordered") == "1",
                isReady: row.text("ready") == "1"
            ),
            expires: row.instant("expires"),
            created: row.instant("created") ?? Instant(nanoseconds: 0),
            updated: row.instant("updated") ?? Instant(nanoseconds: 0),
            revision: row.int64("revision") ?? 1,
            claimed: row.instant("claimed"),
            worker: row.text("worker"),
            result: result(row, table["result"]),
            error: row.text("errorCode").map {
                let message = row.text("errorMessage") ?? ""
                return JobError(code: $0, message: message, status: row.int("errorStatus") ?? 500)
            },
            depth: row.int("depth") ?? 0,
            idempotencyKey: row.text("idempotencyKey")
        )
        return StoredJob(record: record, version: version)
    }

    private static func life(_ row: RedisRow, _ state: JobState) -> JobLife {
        JobLife(
            state: state,
            attempt: row.int("attempt") ?? 0,
            maxAttempts: row.int("maxAttempts") ?? 1,
            recoveries: row.int("recoveries") ?? 0,
            maxRecoveries: row.int("maxRecoveries") ?? 0,
            claims: row.int64("claims") ?? 0,
            lease: row.int64("lease").map {
                JobLease(token: $0, until: row.instant("leaseUntil") ?? Instant(nanoseconds: 0))
            },
            runAt: row.instant("runAt") ?? Instant(nanoseconds: 0),
            stage: row.text("stage"),
            percent: row.int("percent") ?? 0
        )
    }

    private static func result(_ row: RedisRow, _ body: Bytes?) -> JobResult? {
        guard let status = row.int("resultStatus") else { return nil }
        let type = row.text("resultType") ?? ""
        guard let blob = row.text("resultBlob") else {
            return JobResult(status: status, contentType: type, body: body ?? Bytes())
        }
        return JobResult(status: status, contentType: type, blob: blob, size: row.int("resultSize") ?? 0)
    }

    // MARK: Attempts

    static func text(_ attempt: JobAttempt) -> Bytes {
        var object: JSONObject = [
            "claim": .integer(attempt.claim), "attempt": .integer(Int64(attempt.attempt)),
            "started": .integer(attempt.started.nanoseconds), "ended": .integer(attempt.ended.nanoseconds),
            "outcome": .string(attempt.end.outcome),
        ]
        if let worker = attempt.end.worker { object["worker"] = .string(worker) }
        if let error = attempt.error {
            object["error"] = [.string(error.code), .string(error.message), .integer(Int64(error.status))]
        }
        return JSON.object(object).bytes()
    }

    static func attempt(_ text: Bytes) throws -> JobAttempt {
        let json = try JSON.parse(text)
        func instant(_ name: String) -> Instant { Instant(nanoseconds: Int64(json[name]?.intValue ?? 0)) }
        let error = json["error"].map {
            JobError(
                code: $0[0]?.stringValue ?? "",
                message: $0[1]?.stringValue ?? "",
                status: $0[2]?.intValue ?? 500
            )
        }
        return JobAttempt(
            claim: Int64(json["claim"]?.intValue ?? 0),
            attempt: json["attempt"]?.intValue ?? 0,
            started: instant("started"),
            ended: instant("ended"),
            end: AttemptEnd(
                outcome: json["outcome"]?.stringValue ?? "failed",
                worker: json["worker"]?.stringValue
            ),
            error: error
        )
    }
}

/// The fields of a hash, read as what they mean.
struct RedisRow {
    private let table: [Bytes: Bytes]

    init(_ table: [Bytes: Bytes]) {
        self.table = table
    }

    func text(_ field: Bytes) -> String? { table[field]?.text }
    func int(_ field: Bytes) -> Int? { text(field).flatMap { Int($0) } }
    func int64(_ field: Bytes) -> Int64? { text(field).flatMap { Int64($0) } }
    func instant(_ field: Bytes) -> Instant? { int64(field).map { Instant(nanoseconds: $0) } }
}

extension Instant {
    /// A place in a sorted set, which holds 53 bits: rounded up, so that nothing comes before its time.
    var score: Bytes {
        let micros = nanoseconds / 1000
        return Bytes("\(nanoseconds % 1000 > 0 ? micros + 1 : micros)")
    }
}
