import FunctionCore

/// What is told of in the feed.
package enum ActivityEvent: Sendable {
    /// The words by which a reader chooses.
    package enum Kind: String, Sendable, CaseIterable {
        case invocation, log, worker, reload, build
    }

    /// An attempt has ended.
    case invocation(ActivityEntry)
    case log(ActivityLine)
    case worker(ActivityWorker)
    case reload(JSON)
    case build(JSON)
    /// So many events were not kept for this reader, which was too slow.
    case lost(Int)

    /// Nil for what every reader is told.
    var kind: Kind? {
        switch self {
        case .invocation: .invocation
        case .log: .log
        case .worker: .worker
        case .reload: .reload
        case .build: .build
        case .lost: nil
        }
    }
}

/// A line that a handler logged, its process printed, or the host said of itself.
package struct ActivityLine: Sendable {
    package var time: Instant
    package var level: LogLevel
    package var message: String
    package var fields: [String: String]
    package var function: String?
    package var invocation: String?
    package var trace: String?
    /// The worker's process, or 0.
    package var worker: Int32
    /// `log`, `stdout`, `stderr` or `host`.
    package var source: String

    package init(
        time: Instant,
        level: LogLevel,
        message: String,
        fields: [String: String],
        function: String?,
        invocation: String? = nil,
        trace: String? = nil,
        worker: Int32 = 0,
        source: String
    ) {
        self.time = time
        self.level = level
        self.message = message
        self.fields = fields
        self.function = function
        self.invocation = invocation
        self.trace = trace
        self.worker = worker
        self.source = source
    }

    /// About what it takes in memory.
    var size: Int {
        fields.reduce(message.utf8.count + 160) { $0 + $1.key.utf8.count + $1.value.utf8.count + 64 }
    }
}

/// A worker has come or gone.
package struct ActivityWorker: Sendable {
    package enum State: String, Sendable { case ready, gone, failed }

    package var time: Instant
    package var function: String
    /// The process; 0 for one that could not be started.
    package var pid: Int32
    package var state: State
    /// Why it went, or could not be started.
    package var reason: String?
    /// How long it took to be ready.
    package var startup: Duration?
    /// Whether the host wanted it to go.
    package var asked = false

    package init(
        time: Instant,
        function: String,
        pid: Int32,
        state: State,
        reason: String? = nil,
        startup: Duration? = nil,
        asked: Bool = false
    ) {
        self.time = time
        self.function = function
        self.pid = pid
        self.state = state
        self.reason = reason
        self.startup = startup
        self.asked = asked
    }
}
