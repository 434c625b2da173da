import Builds
import Glibc
import Invocations
import NIOCore
import NIOPosix
import RedisTrigger
import Settings

// What is to be run here: the bundle, and the files that describe its functions.

extension Doctor {
    func project() async -> (findings: [Finding], manifests: [Manifest]) {
        let functions = configuration["functions"]
        let hasFunctions = listDirectory(functions).contains {
            access("\(functions)/\($0)/function.yaml", F_OK) == 0
        }
        guard hasFunctions else {
            let detail = "there are no functions in \(DataDirectory.absolute(functions))"
            let remedy = "`swiftlet new project DIR` makes a package; --functions names another folder"
            return ([Finding("project", .warning, detail, remedy)], [])
        }
        let (bundle, known) = await bundle()
        let problems = Problems()
        let project = Project.load(
            functions: functions,
            schedules: configuration["schedules"],
            bundle: known,
            problems: problems
        )
        let (count, times) = (project.manifests.count, project.book.entries.count)
        var finding = Finding("project", .good, "\(count) functions, \(times) schedules")
        if let first = problems.all.first {
            let more = problems.all.count > 1 ? ", and \(problems.all.count - 1) more" : ""
            finding = Finding("project", .fault, "\(first)\(more)", "`swiftlet check` tells all")
        }
        return ([bundle, finding], Array(project.manifests))
    }

    /// A Redis of somebody's; the private one of `dev` is started with the host.
    func redis() async -> Finding? {
        let text = configuration["redis.url"]
        guard !text.isEmpty else { return nil }
        let url: RedisURL
        do {
            url = try RedisURL(text)
        } catch {
            return Finding("redis.url", .fault, "\(error)", "write redis://HOST:PORT")
        }
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(2))
        do {
            let channel: any Channel
            switch url.address {
            case .tcp(let host, let port): channel = try await bootstrap.connect(host: host, port: port).get()
            case .unix(let path): channel = try await bootstrap.connect(unixDomainSocketPath: path).get()
            }
            try? await channel.close()
            return Finding("redis.url", .good, "\(url) takes connections")
        } catch {
            let remedy =
                "start it, or mend redis.url: until then what needs Redis answers 503 redis_unavailable"
            return Finding("redis.url", .warning, "\(url) takes no connection", remedy)
        }
    }

    /// The executable that holds the functions, and which it has.
    private func bundle() async -> (Finding, known: [String]?) {
        let path = ProjectSource.bundle(configuration, program: program, isDevelopment: true)
        guard access(path, X_OK) == 0 else {
            if path == ProjectSource.package(configuration)?.output {
                return (Finding("bundle", .good, "none yet: `swiftlet dev` builds it first"), nil)
            }
            let remedy = "build it, here by `make build`, or name one by --bundle"
            return (Finding("bundle", .fault, "there is none at \(path)", remedy), nil)
        }
        let known: [String]
        do throws(HostError) {
            known = try await Bundle.describe(path)
        } catch {
            return (Finding("bundle", .fault, "\(error)", "build it again"), nil)
        }
        let package = DataDirectory.absolute("\(configuration["functions"])/..")
        let built = SourceTree.Mark(path)?.changed ?? 0
        guard access("\(package)/Package.swift", F_OK) != 0 || SourceTree(package).newest <= built else {
            let remedy = "`swiftlet dev` builds it anew; for `serve` build it again"
            return (
                Finding("bundle", .warning, "\(path) is older than the sources in \(package)", remedy), known
            )
        }
        return (Finding("bundle", .good, "\(path), \(known.count) functions"), known)
    }
}
