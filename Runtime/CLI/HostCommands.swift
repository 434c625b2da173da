import ArgumentParser
import FunctionCore
import Glibc
import HostKit
import Processes
import Settings

/// Settings that every command with a project takes.
struct ProjectOptions: ParsableArguments {
    @Option(help: "The bundle's executable; default: `functions` beside this program.")
    var bundle: String?
    @Option(help: "Where */function.yaml are; default: Functions.")
    var functions: String?
    @Option(help: "Where schedules and calendars/ are; default: schedules.")
    var schedules: String?
    @Option(help: "The data directory; default: .swiftlet.")
    var data: String?

    var flags: [String: String] {
        let all = ["bundle": bundle, "functions": functions, "schedules": schedules, "data": data]
        return all.compactMapValues { $0 }
    }
}

/// Where a project's files are, for commands that ask no host: as its configuration says.
struct ProjectFiles: ParsableArguments {
    @Option(help: "Where */function.yaml are. Default: as the configuration says, else Functions.")
    var functions: String?
    @Option(help: "Where schedules and calendars/ are. Default: as the configuration says, else schedules.")
    var schedules: String?
    @Option(help: "The configuration file of `serve`.") var config: String?

    func resolve(_ problems: Problems) -> Configuration {
        var environment = parseDotEnv(readText(".env") ?? "")
        environment.merge(processEnvironment()) { _, real in real }
        var file: (path: String, text: String)?
        if let config {
            guard let text = readText(config) else { leave(78, "\(config) cannot be read") }
            file = (config, text)
        }
        let flags = ["functions": functions, "schedules": schedules].compactMapValues { $0 }
        return Configuration.resolve(flags: flags, environment: environment, file: file, problems: problems)
    }
}

/// `swiftlet dev`: the emulator.
struct Dev: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs everything on this machine, on embedded defaults.",
        discussion: """
            Without REDIS_URL a private redis-server is started, without OPENAI_API_KEY an offline provider. \
            A file .env is read. In a package's folder what is saved is built in the background and put in force \
            without a failed request; --no-build turns that off. Ctrl-C ends it all within five seconds; what was accepted and not done goes \
            on at the next start.
            """
    )

    @Option(help: "The gateway's port; 0 picks a free one. Default: 8080.") var port: Int?
    @Option(help: "The admin port; 0 picks a free one. Default: 8081.") var adminPort: Int?
    @Option(
        help: "Begin on a virtual clock, at 2026-11-20T14:25:00Z or \"2026-11-20 09:25 America/New_York\"."
    )
    var at: String?
    @Option(help: "How many seconds pass on the clock in a real one. Default: 1.") var speed: Double?
    @Flag(name: .customLong("no-build"), help: "Run the bundle that is there, and build nothing.")
    var noBuild = false
    @OptionGroup var project: ProjectOptions

    func run() async throws {
        var flags = project.flags
        if noBuild { flags["build"] = "off" }
        flags["gateway.port"] = port.map(String.init)
        flags["admin.port"] = adminPort.map(String.init)
        flags["clock.at"] = at
        flags["clock.speed"] = speed.map { "\($0)" }
        var environment = parseDotEnv(readText(".env") ?? "")
        environment.merge(processEnvironment()) { _, real in real }
        await runHost(flags: flags, environment: environment, file: nil, isDevelopment: true)
    }
}

/// `swiftlet serve`: a host for good.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a host by a configuration file, on the real clock.",
        discussion: """
            `swiftlet check --effective --config FILE` shows every setting and where it is from. SIGHUP reloads \
            the project, SIGUSR2 starts a successor that takes the listening sockets and the data over, SIGTERM \
            and SIGINT end the host within stop.grace, a second one at once.
            """
    )

    @Option(help: "The configuration file, YAML.") var config: String
    @Flag(help: "Take the place of the host that runs on the data directory, without a dropped connection.")
    var takeOver = false
    @OptionGroup var project: ProjectOptions

    func run() async throws {
        guard let text = readText(config) else { leave(78, "\(config) cannot be read") }
        await runHost(
            flags: project.flags,
            environment: processEnvironment(),
            file: (config, text),
            isDevelopment: false,
            takesOver: takeOver
        )
    }
}

/// Says why and ends.
func leave(_ status: Int32, _ message: String) -> Never {
    writeError(message)
    exit(status)
}

func writeError(_ message: String) {
    let line = "swiftlet: \(message)\n"
    _ = write(2, line, line.utf8.count)
}

/// Runs a host until a signal comes.
func runHost(
    flags: [String: String],
    environment: [String: String],
    file: (path: String, text: String)?,
    isDevelopment: Bool,
    takesOver: Bool = false
) async {
    if getpid() == 1 { Init.run() }
    let signals = Signals.take()
    let problems = Problems()
    let configuration = Configuration.resolve(
        flags: flags,
        environment: environment,
        file: file,
        problems: problems
    )
    var options = HostOptions(
        configuration: configuration,
        isDevelopment: isDevelopment,
        program: programPath(),
        isTerminal: isatty(1) == 1,
        faults: problems.all
    )
    options.inheritance = Inheritance(environment: environment)
    options.manager = ServiceManager(environment: environment)
    options.environment = environment
    if problems.isEmpty, let build = options.firstBuild { await buildFirst(build, signals) }
    await HostProcess(options, signals, environment).run(takesOver: takesOver)
}

/// Builds in the foreground; what the compiler says is seen as it says it.
private func buildFirst(_ build: ChildSpec, _ signals: Signals) async {
    var build = build
    build.descriptors = [1: 1, 2: 2]
    writeError("building the functions first")
    let status = await withCheckedContinuation { continuation in
        do {
            let child = try ChildProcess.spawn(build) { continuation.resume(returning: $0) }
            // It has a group of its own, which what is typed at the terminal does not reach.
            signals.exitOnNext { child.signal(SIGKILL) }
        } catch {
            leave(69, "\(error)")
        }
    }
    signals.goOn()
    guard status.succeeded else { leave(1, "the functions could not be built: mend what is told above") }
}

/// Ends for an error of the start, with its exit code.
func leaveFor(_ error: any Error) -> Never {
    switch error {
    case let error as HostError: leave(error.code.rawValue, error.description)
    case let error as ConfigurationError:
        writeError(
            "the configuration has \(error.problems.count) fault\(error.problems.count == 1 ? "" : "s")"
        )
        for problem in error.problems { writeError(problem.description) }
        exit(78)
    default: leave(exitCode(of: error), "\(error)")
    }
}
