import FunctionCore
import Glibc
import Processes
import TestSupport

/// A package of one's own, made by `swiftlet new project` outside of the repository, and its emulator.
final class OwnProject: Sendable {
    let place: TemporaryPlace
    private let checkout = Installed.project

    var path: String { "\(place.path)/shop" }
    private var scratch: String { "\(path)/.swiftlet/build" }

    init() throws {
        place = try TemporaryPlace()
    }

    /// Makes the package, with a second function in it.
    func make() async throws {
        try await swiftlet("new", "project", "shop", "--swiftlet", checkout, in: place.path)
        try await swiftlet("new", "function", "counter", "--template", "redis", in: path)
        // Nothing is built yet, and the program's own functions are none of this package's.
        let checked = try await swiftlet("check", in: path)
        guard checked.output.contains("not built yet") else { throw DevHost.Failure(checked.all) }
        // What the repository's own build has fetched: no network, and no second copy of histories to make.
        mkdir("\(path)/.swiftlet", 0o700)
        mkdir(scratch, 0o700)
        for name in ["repositories", "checkouts", "workspace-state.json"] {
            _ = try await Ran.run(ChildSpec("cp", ["-r", "\(checkout)/.build/\(name)", scratch]))
        }
    }

    @discardableResult
    func swiftlet(_ arguments: String..., in folder: String) async throws -> Ran {
        let program = "\(Installed.directory)/swiftlet"
        let ran = try await Ran.run(
            ChildSpec(program, arguments, environment: environment, directory: folder)
        )
        guard ran.code == 0 else { throw DevHost.Failure("swiftlet \(arguments): \(ran.all)") }
        return ran
    }

    private var environment: [String: String] {
        var kept = ["LANG": "C.UTF-8"]
        for name in ["PATH", "HOME", "TMPDIR"] {
            if let value = getenv(name) { kept[name] = String(cString: value) }
        }
        return kept
    }

    /// Runs the package's own tests, on what the emulator has built.
    func test() async throws -> ChildOutput {
        let arguments = ["test", "--scratch-path", scratch, "--disable-xctest"]
        let spec = ChildSpec("swift", arguments, environment: environment, directory: path)
        return try await ChildProcess.run(spec, timeout: .seconds(240))
    }

    func read(_ file: String) throws -> String {
        guard let text = Text.read("\(path)/\(file)") else { throw DevHost.Failure("there is no \(file)") }
        return text
    }

    func write(_ text: String, to file: String) {
        Text.write(text.utf8, to: "\(path)/\(file).new")
        rename("\(path)/\(file).new", "\(path)/\(file)")
    }

    /// Runs `swiftlet dev` in the package's folder, which builds first.
    func serve(_ body: (_ gateway: String, _ admin: String) async throws -> Void) async throws {
        let output = open("\(place.path)/output", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(output) }
        var spec = ChildSpec(
            "\(Installed.directory)/swiftlet",
            ["dev", "--port", "0", "--admin-port", "0"],
            environment: environment,
            directory: path
        )
        spec.descriptors = [1: output, 2: output]
        let (ends, ended) = AsyncStream.makeStream(of: ExitStatus.self)
        let process = try ChildProcess.spawn(spec) {
            ended.yield($0)
            ended.finish()
        }
        func stop() async {
            process.signal(SIGINT)
            for await _ in ends {}
        }
        do {
            let note = try await eventually("the emulator of the package", within: .seconds(240)) {
                guard Text.isAlive(process.pid) else { throw DevHost.Failure("it ended: \(self.output)") }
                return Text.read("\(path)/.swiftlet/host.json").flatMap { try? JSON.parse(Bytes($0)) }
            }
            try await body(note["gateway"]?.stringValue ?? "", note["admin"]?.stringValue ?? "")
            await stop()
        } catch {
            await stop()
            throw error
        }
    }

    /// What the emulator has printed.
    var output: String { Text.read("\(place.path)/output") ?? "" }

    func remove() { place.remove() }
}
