import FunctionCore
import HTTPTrigger
import Isolation
import Observe
import Scaling
import Settings
import TLS

/// The settings of a start, read from the configuration's texts and checked.
package struct HostSettings {
    let at: Instant?
    let speed: Double
    let level: LogLevel
    let logMax: Int
    let blobMax: Int
    let keepJobs: Duration
    let recordingsMax: Int
    let loops: Int
    let seed: UInt64
    let gatewayPort: Int
    let adminPort: Int
    let admin: AdminAccess
    /// What callers of bindings from elsewhere show; empty where there are none.
    let bindingsToken: String
    let grace: Duration
    let isolation: WorkerIsolation.Settings
    /// How much may run at once, of all functions together; nil for no bound.
    let maxInFlight: Int?
    /// What there is for workers.
    package let profile: HostProfile
    let proxies: TrustedProxies
    let compresses: Bool
    let certificates: CertificateStore?
    let isDevelopment: Bool
    /// Whether a development host builds what is saved.
    let builds: Bool
    /// Whether jobs are kept in Redis, by all hosts that share it.
    package let sharesJobs: Bool

    /// What is wrong goes to `problems`, all of it; a setting that is has some value in its range.
    package init(_ configuration: Configuration, isDevelopment: Bool = false, problems: Problems) {
        at = configuration.instant("clock.at", problems)
        speed = configuration.number("clock.speed", 0...100_000, problems)
        level = configuration.level(problems)
        logMax = configuration.size("keep.logs", problems)
        blobMax = configuration.size("keep.blobs", problems)
        keepJobs = configuration.duration("keep.jobs", problems)
        recordingsMax = configuration.size("keep.recordings", problems)
        configuration.word("record.rule", ["auto", "failures", "all", "off"], problems)
        loops = Int(configuration.number("loops", 1...64, problems))
        seed = UInt64(configuration.number("market.seed", 0...1e15, problems))
        gatewayPort = configuration.port("gateway.port", problems)
        adminPort = configuration.port("admin.port", problems)
        admin = configuration.admin(problems)
        bindingsToken = configuration.checkToken("bindings.token", problems)
        grace = configuration.duration("stop.grace", problems)
        isolation = configuration.isolation(problems)
        let most = Int(configuration.number("maxInFlight", 0...1_000_000, problems))
        maxInFlight = most == 0 ? nil : most
        profile = configuration.profile(problems)
        proxies = configuration.proxies(problems)
        configuration.word("gateway.gzip", ["on", "off"], problems)
        compresses = configuration["gateway.gzip"] == "on"
        certificates = configuration.certificates(problems)
        configuration.word("log.format", ["auto", "json", "pretty", "none"], problems)
        configuration.word("build", ["auto", "off"], problems)
        self.isDevelopment = isDevelopment
        builds = isDevelopment && configuration["build"] == "auto"
        configuration.word("journal", ["sqlite", "redis"], problems)
        sharesJobs = configuration["journal"] == "redis"
        if sharesJobs, configuration["redis.url"].isEmpty {
            problems.add(
                Problem(
                    file: configuration.values["journal"]?.source ?? "default",
                    message: "journal is redis, and no server is named that hosts could share",
                    hint: "name it by redis.url, or take `journal: sqlite`"
                )
            )
        }
        let address = configuration["gateway.host"]
        if !["127.0.0.1", "::1", "localhost"].contains(address),
            configuration["gateway.principalHeader"].isEmpty
        {
            let fault = "nothing authenticates callers"
            let remedy = "name the header it sets by gateway.principalHeader"
            problems.add(
                Problem(
                    file: configuration.values["gateway.host"]?.source ?? "default",
                    message: "gateway.host \(address) is reachable from elsewhere, and \(fault)",
                    hint: "listen on 127.0.0.1 behind a proxy, or \(remedy)"
                )
            )
        }
    }
}
