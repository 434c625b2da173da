/// A setting of the host: its name, how it is set, and what it is without.
package struct ConfigurationKey: Sendable {
    package var name: String
    package var variable: String
    package var fallback: String
    package var isSecret: Bool
    package var help: String

    fileprivate init(
        _ name: String,
        _ variable: String,
        _ fallback: String = "",
        isSecret: Bool = false,
        help: String
    ) {
        self.name = name
        self.variable = variable
        self.fallback = fallback
        self.isSecret = isSecret
        self.help = help
    }
}

extension Configuration {
    /// All settings that there are.
    package static let keys: [ConfigurationKey] = [
        .init("gateway.host", "SWIFTLET_HOST", "127.0.0.1", help: "address of the gateway"),
        .init("gateway.port", "SWIFTLET_PORT", "8080", help: "0 picks a free one"),
        .init(
            "gateway.principalHeader",
            "SWIFTLET_PRINCIPAL_HEADER",
            help: "a header that a trusted proxy sets to who asks"
        ),
        .init(
            "gateway.trustedProxies",
            "SWIFTLET_TRUSTED_PROXIES",
            help: "addresses and ranges, with commas: who is believed about clients"
        ),
        .init(
            "gateway.forwarded",
            "SWIFTLET_FORWARDED",
            "x-forwarded",
            help: "which fields they set: x-forwarded or forwarded"
        ),
        .init("gateway.gzip", "SWIFTLET_GZIP", "on", help: "replies compressed where accepted: on or off"),
        .init("tls.certificate", "SWIFTLET_TLS_CERTIFICATE", help: "PEM files, with commas; turns TLS on"),
        .init("tls.key", "SWIFTLET_TLS_KEY", help: "their keys, in the same order"),
        .init("gateway.url", "SWIFTLET_URL", help: "how clients reach the gateway, for signed URLs"),
        .init("admin.port", "SWIFTLET_ADMIN_PORT", "8081", help: "0 picks a free one"),
        .init(
            "admin.bind",
            "SWIFTLET_ADMIN_BIND",
            "127.0.0.1",
            help: "address of the admin port; another than loopback's needs admin.token"
        ),
        .init(
            "admin.hosts",
            "SWIFTLET_ADMIN_HOSTS",
            help: "further names by which it is called, with commas"
        ),
        .init(
            "admin.token",
            "SWIFTLET_ADMIN_TOKEN",
            isSecret: true,
            help: "what callers of the admin port show"
        ),
        .init(
            "bindings.token",
            "SWIFTLET_BINDINGS_TOKEN",
            isSecret: true,
            help: "what functions on AWS Lambda show that call this host's bindings; empty refuses them"
        ),
        .init("data", "SWIFTLET_DATA", ".swiftlet", help: "the data directory"),
        .init("bundle", "SWIFTLET_BUNDLE", help: "the bundle's executable; beside this program"),
        .init(
            "build",
            "SWIFTLET_BUILD",
            "auto",
            help: "whether `dev` builds what is saved: auto, where the package is at hand, or off"
        ),
        .init("functions", "SWIFTLET_FUNCTIONS", "Functions", help: "where */function.yaml are"),
        .init("schedules", "SWIFTLET_SCHEDULES", "schedules", help: "where schedules and calendars/ are"),
        .init(
            "redis.url",
            "REDIS_URL",
            isSecret: true,
            help: "redis[s]://[user:password@]host:port/db; empty starts a private server"
        ),
        .init(
            "redis.ca",
            "REDIS_CA",
            help: "a PEM file: who may sign the server's certificate, for rediss://"
        ),
        .init("redis.certificate", "REDIS_CERTIFICATE", help: "a PEM file: our own, where the server asks"),
        .init("redis.key", "REDIS_KEY", help: "its key"),
        .init(
            "provider.baseURL",
            "OPENAI_BASE_URL",
            help: "an OpenAI-compatible server; empty starts the offline provider"
        ),
        .init("provider.apiKey", "OPENAI_API_KEY", isSecret: true, help: "its key"),
        .init("provider.textModel", "SWIFTLET_TEXT_MODEL", "gpt-4o-mini", help: "the language model"),
        .init("provider.imageModel", "SWIFTLET_IMAGE_MODEL", "gpt-image-1", help: "the image model"),
        .init("market.seed", "SWIFTLET_MARKET_SEED", "7", help: "the seed of the price generator"),
        .init(
            "market.file",
            "SWIFTLET_MARKET_FILE",
            help: "a CSV of bars instead of the generator: SYMBOL=FILE,…"
        ),
        .init("log.level", "SWIFTLET_LOG_LEVEL", "info", help: "debug, info, warning or error"),
        .init(
            "log.format",
            "SWIFTLET_LOG_FORMAT",
            "auto",
            help: "json, pretty, none; auto is pretty on a terminal"
        ),
        .init("clock.at", "SWIFTLET_CLOCK_AT", help: "begin at this instant on a virtual clock"),
        .init("clock.speed", "SWIFTLET_CLOCK_SPEED", "1", help: "seconds that pass in a real one"),
        .init(
            "workers.users",
            "SWIFTLET_WORKERS_USERS",
            "60000",
            help: "the first of the user ids of functions, where the host is root; off for none"
        ),
        .init(
            "workers.sandbox",
            "SWIFTLET_WORKERS_SANDBOX",
            "on",
            help: "seccomp and Landlock around workers: on, off"
        ),
        .init(
            "workers.cgroups",
            "SWIFTLET_WORKERS_CGROUPS",
            "on",
            help: "a control group a worker, where the host may make them: on, off"
        ),
        .init(
            "workers.template",
            "SWIFTLET_WORKERS_TEMPLATE",
            "on",
            help: "workers are forked from a prepared process, where that proves to work: on, off"
        ),
        .init(
            "capacity.memory",
            "SWIFTLET_CAPACITY_MEMORY",
            "80%",
            help: "what workers may take together: a size, or a share of the machine's"
        ),
        .init("capacity.cpu", "SWIFTLET_CAPACITY_CPU", help: "cores, such as 1500m or 2; empty takes all"),
        .init("capacity.profile", "SWIFTLET_CAPACITY_PROFILE", help: "a file of slots, such as GPU memory"),
        .init("loops", "SWIFTLET_LOOPS", "1", help: "event loops"),
        .init(
            "maxInFlight",
            "SWIFTLET_MAX_IN_FLIGHT",
            "0",
            help: "how much may run at once, of all functions together; 0 is no bound"
        ),
        .init(
            "stop.grace",
            "SWIFTLET_STOP_GRACE",
            "3s",
            help: "what runs may take to end when the host stops"
        ),
        .init(
            "webhook.key",
            "SWIFTLET_WEBHOOK_KEY",
            isSecret: true,
            help: "signs what is sent to webhooks; empty sends it unsigned"
        ),
        .init(
            "journal",
            "SWIFTLET_JOURNAL",
            "sqlite",
            help: "where jobs are kept: sqlite, or redis for several hosts"
        ),
        .init(
            "record.rule",
            "SWIFTLET_RECORD",
            "auto",
            help:
                "invocations kept to be run again: failures, all, off; auto is failures in dev, off in serve"
        ),
        .init(
            "record.redact",
            "SWIFTLET_RECORD_REDACT",
            help: "names of headers, members, parameters and variables whose values are not kept, with commas"
        ),
        .init("keep.recordings", "SWIFTLET_KEEP_RECORDINGS", "256MiB", help: "how much recordings take"),
        .init("keep.jobs", "SWIFTLET_KEEP_JOBS", "7d", help: "for how long ended jobs are kept"),
        .init("keep.blobs", "SWIFTLET_KEEP_BLOBS", "4GiB", help: "how much the blob store takes"),
        .init("keep.logs", "SWIFTLET_KEEP_LOGS", "64MiB", help: "size at which the log is turned over"),
    ]
}
