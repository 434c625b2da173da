import FunctionCore

/// A function's settings: what its `function.yaml` says, checked, with defaults filled in.
package struct Manifest: Sendable, Hashable {
    /// A route of the gateway.
    package struct Route: Sendable, Hashable {
        package var method: String
        /// `/v1/users/{user}/scripts`; a name in braces matches one segment.
        package var path: String
        package var operation: String
        /// Whether the route answers 202 with a job.
        package var async: Bool
        /// The line in the manifest, for messages.
        package var line: Int

        package init(method: String, path: String, operation: String, async: Bool = false, line: Int = 0) {
            self.method = method
            self.path = path
            self.operation = operation
            self.async = async
            self.line = line
        }
    }

    /// A Redis stream read with a consumer group.
    package struct Stream: Sendable, Hashable {
        package var stream: String
        package var group: String
        package var operation: String
        /// How many entries make an event at most, 1 to 1000.
        package var batch: Int
        /// How long a batch that is not full waits for more.
        package var window: Duration
        /// How many events of the stream are under way at once.
        package var concurrency: Int
        package var from: Start
        /// What an entry must have in its fields; others are acknowledged without a run.
        package var filter: [FieldFilter]
        /// How long entries stay in the stream once all groups are done with them; nil for as long as it stands.
        package var keep: Duration?
        package var line: Int

        package init(
            stream: String,
            group: String,
            operation: String = "",
            batch: Int = 1,
            window: Duration = .zero,
            concurrency: Int = 1,
            from: Start = .beginning,
            filter: [FieldFilter] = [],
            keep: Duration? = nil,
            line: Int = 0
        ) {
            self.stream = stream
            self.group = group
            self.operation = operation
            self.batch = batch
            self.window = window
            self.concurrency = concurrency
            self.from = from
            self.filter = filter
            self.keep = keep
            self.line = line
        }

        /// Where a new group begins to read.
        package enum Start: Sendable, Hashable {
            /// With the oldest entry, so that events said before the first host came up count.
            case beginning
            /// With what is added after the group is made.
            case new
            /// Behind an entry.
            case after(String)

            /// As Redis wants it.
            package var id: String {
                switch self {
                case .beginning: "0"
                case .new: "$"
                case .after(let id): id
                }
            }
        }
    }

    /// A field that an entry must have, with one of a few values.
    package struct FieldFilter: Sendable, Hashable {
        package var name: String
        /// Values, or with a `*` at the end the beginnings of values.
        package var patterns: [String]

        package init(_ name: String, _ patterns: [String]) {
            self.name = name
            self.patterns = patterns
        }
    }

    /// A Redis list whose elements are taken one by one.
    package struct List: Sendable, Hashable {
        package var list: String
        package var operation: String
        /// Whether elements are taken from the left end, as producers with RPUSH want it; else from the right.
        package var fromLeft: Bool
        /// How many elements make an event at most, 1 to 100.
        package var batch: Int
        /// How many events of the list are under way at once.
        package var concurrency: Int
        package var line: Int

        package init(
            list: String,
            operation: String = "",
            fromLeft: Bool = false,
            batch: Int = 1,
            concurrency: Int = 1,
            line: Int = 0
        ) {
            self.list = list
            self.operation = operation
            self.fromLeft = fromLeft
            self.batch = batch
            self.concurrency = concurrency
            self.line = line
        }
    }

    /// A Redis channel, or a pattern of channels, that is subscribed to.
    package struct Channel: Sendable, Hashable {
        /// With `*`, `?` or `[` in it, a pattern.
        package var channel: String
        package var operation: String
        /// How many messages make an event at most, 1 to 100.
        package var batch: Int
        /// How many events of the channel are under way at once.
        package var concurrency: Int
        /// How many messages wait at most; what comes then is dropped, and counted.
        package var buffer: Int
        package var line: Int

        package init(
            channel: String,
            operation: String = "",
            batch: Int = 1,
            concurrency: Int = 1,
            buffer: Int = 1000,
            line: Int = 0
        ) {
            self.channel = channel
            self.operation = operation
            self.batch = batch
            self.concurrency = concurrency
            self.buffer = buffer
            self.line = line
        }
    }

    /// Limits, with the defaults in force where the manifest is silent.
    package struct Limits: Sendable, Hashable {
        package var timeout: Duration = .seconds(30)
        /// Until the first byte of a streamed reply.
        package var firstByte: Duration?
        /// Between two pieces of a streamed reply.
        package var idle: Duration?
        /// What siblings of a timed-out invocation have left at most.
        package var grace: Duration = .seconds(2)
        package var memoryMiB: Int = 256
        package var payload: Int = 1024 * 1024
        /// In flight on one worker.
        package var perWorker: Int = 1
        /// In flight of the function; more wait in the queue.
        package var maxInFlight: Int = 64
        /// What of the host's `maxInFlight` is kept free for the function.
        package var reserved: Int = 0
        /// How many wait at most; more are shed with 429.
        package var queue: Int = 256
        /// How long one waits at most; then it is shed with 503.
        ///
        /// Nil for as long as its time limit.
        package var queueWait: Duration?
        package var openFiles: Int = 64
        /// Processor time in seconds for what runs at once on a worker; 0 for no limit but the timeout.
        package var cpuSeconds: Int = 0

        package init() {}
    }

    /// What a worker may do beyond reading its channel.
    package struct Permissions: Sendable, Hashable {
        /// Open sockets to other hosts.
        package var network = false
        /// Start processes.
        package var fork = false

        package init() {}
    }

    /// What becomes of an invocation whose caller has gone.
    package enum OnDisconnect: String, Sendable, CaseIterable {
        case cancel, `continue`
    }

    /// What happens after a failure of a job or of a stream's entry.
    package struct Retry: Sendable, Hashable {
        /// Attempts in all, from 1.
        package var attempts: Int = 3
        /// The wait before the second attempt; it doubles at each further one.
        package var backoff: Duration = .seconds(1)
        package var ceiling: Duration = .seconds(60)
        /// How often a job may be lost to the death of its host before it is a dead letter.
        package var recoveries: Int = 10

        package init() {}

        /// The wait after attempt `attempt`, without jitter.
        package func wait(after attempt: Int) -> Duration {
            let doubled = backoff * (1 << min(max(attempt - 1, 0), 20))
            return min(doubled, ceiling)
        }
    }

    /// How events are run together.
    package struct Batch: Sendable, Hashable {
        /// Events in one invocation at most, from 2.
        package var max: Int
        /// How long the first waits for the others.
        package var window: Duration

        package init(max: Int = 32, window: Duration = .milliseconds(5)) {
            self.max = max
            self.window = window
        }
    }

    /// A binding that the manifest grants.
    package struct Grant: Sendable, Hashable {
        package var binding: String
        package var line: Int

        package init(binding: String, line: Int) {
            self.binding = binding
            self.line = line
        }
    }

    package var name: String
    package var summary: String = ""
    package var routes: [Route] = []
    package var streams: [Stream] = []
    package var lists: [List] = []
    package var channels: [Channel] = []
    package var webSockets: [WebSocket] = []
    package var limits = Limits()
    package var permissions = Permissions()
    package var onDisconnect = OnDisconnect.cancel
    package var scale = Scale()
    package var resources = Resources()
    package var grants: [Grant] = []
    package var environment: [String: String] = [:]
    package var retry = Retry()
    /// Whether, and how, several events make one invocation.
    package var batch: Batch?
    package var jobs = Jobs()
    /// Who is told of a job that completed, and of one that is a dead letter.
    package var onSuccess: Destination?
    package var onFailure: Destination?
    /// Whether a lost invocation may be run again without being asked.
    package var idempotent = false
    /// Whether the gateway keeps `Idempotency-Key`s for the function.
    package var idempotencyKeys = false
    /// What a job costs its user that comes over HTTP, in whole credits, by operation; of one that is not
    /// here, nothing.
    package var prices: [String: Int] = [:]
    /// How often it may be asked for over HTTP.
    package var rateLimits: [RateLimit] = []
    /// Which pages of other origins may call the function; nil where none may.
    package var cors: CORS?
    /// Who may send webhooks to its POST routes, by the name in `WebHook-Request-Origin`; `*` for anybody.
    package var webhookOrigins: [String] = []
    /// Folders of files that the gateway serves itself.
    package var folders: [StaticFolder] = []
    /// The program of a function with `runtime: lambda`; nil for one of the bundle.
    package var foreign: Foreign?
    /// What is said of operations, by their names.
    package var contracts: [String: Contract] = [:]
    /// The schemas that contracts name, and those that these refer to, by path.
    package var schemas: [String: JSON] = [:]
    /// The file, for messages.
    package var file: String = ""

    package init(name: String) {
        self.name = name
    }

    /// Whether the manifest grants a binding.
    package func grants(_ binding: String) -> Bool {
        grants.contains { $0.binding == binding }
    }
}
