import CShims
import FunctionCore
import Glibc
import Invocations
import LambdaEvents
import NIOCore
import Processes
import Wire
import WorkerPool

/// Starts the workers of a function with `runtime: lambda`.
package struct LambdaProgram: WorkerAdapter {
    private let function: LambdaFunction
    private let realNow: @Sendable () -> Instant

    /// `realNow` reads the machine's clock, by which a runtime counts its deadlines.
    package init(_ function: LambdaFunction, realNow: @escaping @Sendable () -> Instant) {
        self.function = function
        self.realNow = realNow
    }

    package func start(
        _ place: WorkerPlace,
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) throws -> any WorkerProcess {
        guard let program = findExecutable(function.foreign.program) else {
            let reason = "there is no such program, or it may not be executed"
            throw SpawnError(executable: function.foreign.program, reason: reason)
        }
        let endpoint = try RuntimeEndpoint()
        let folder = LambdaProgram.absolute(function.foreign.folder)
        var function = self.function
        function.foreign.folder = folder
        let greeting = try greeting(function, place, endpoint.address)
        defer { close(greeting) }
        let page = try RuntimePage(copying: place.page)
        let worker = RuntimeWorker(
            function,
            on: place.loop,
            user: place.confinement.uid == 0 ? geteuid() : place.confinement.uid,
            page: page,
            realNow: realNow,
            isExhausted: place.isExhausted,
            onExit: onExit
        )
        let words =
            ["--launch", folder, LambdaProgram.absolute(program)] + function.foreign.command.dropFirst()
        var spec = ChildSpec(place.launcher, words)
        spec.descriptors = [1: place.output, 2: place.errors, 3: greeting]
        worker.process = try ChildProcess.spawn(spec) { status in
            place.loop.execute { worker.exited(status) }
        }
        let channel = fcntl(place.channel, F_DUPFD_CLOEXEC, 0)
        let listener = endpoint.take()
        place.loop.execute { worker.open(channel: channel, listener: listener) }
        return worker
    }

    package func opening(of invocation: String) -> String {
        LambdaLines.start(InvocationID.uuid(of: invocation))
    }

    /// A file with all that the launcher has to know before the program starts.
    private func greeting(
        _ function: LambdaFunction,
        _ place: WorkerPlace,
        _ endpoint: String
    ) throws -> Int32 {
        // What the program calls and reads nobody knows here; users, limits, groups and its own directory hold.
        var confinement = place.confinement
        confinement.filter = Bytes()
        confinement.readable = nil
        let plain = ChildSpec("", []).environment
        let hello = Hello(
            bundle: "",
            function: function.name,
            confinement: confinement,
            environment: function.variables(
                endpoint: endpoint,
                path: plain["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
                stream: LambdaProgram.stream(at: realNow()),
                directory: confinement.directory
            )
        )
        var writer = WireWriter()
        hello.write(to: &writer)
        let file = swiftlet_memfile("lambda-greeting")
        let bytes = writer.bytes
        guard file >= 0, pwrite(file, bytes, bytes.count, 0) == bytes.count else {
            if file >= 0 { close(file) }
            throw SpawnError(executable: place.launcher, reason: String(cString: strerror(errno)))
        }
        return file
    }

    /// A worker's name in the log, as AWS makes it: `2026/03/09/[$LATEST]<32 hex>`.
    private static func stream(at now: Instant) -> String {
        let day = now.rfc3339.prefix(10).split(separator: "-").joined(separator: "/")
        return "\(day)/[$LATEST]\(TraceContext.begin().traceID)"
    }

    private static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard getcwd(&buffer, buffer.count) != nil else { return path }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            + "/\(path)"
    }
}

/// A listening socket for one worker's runtime and for nobody else.
///
/// The address is drawn from the 16 million of 127.0.0.0/8 and the port by the kernel, so that nobody finds it by
/// trying; who reads it in /proc has to have the worker's user as well.
final class RuntimeEndpoint {
    /// `host:port`, as `AWS_LAMBDA_RUNTIME_API` says it.
    let address: String
    private var socket: Int32

    init() throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let host = UInt32.random(in: 0x7F00_0002...0x7FFF_FFFE)
        var wanted = sockaddr_in()
        wanted.sin_family = sa_family_t(AF_INET)
        wanted.sin_addr.s_addr = host.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutableBytes(of: &wanted) { bytes in
            guard socket >= 0, let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else {
                return false
            }
            return bind(socket, address, length) == 0 && listen(socket, 128) == 0
                && getsockname(socket, address, &length) == 0
        }
        guard isListening else {
            let reason = String(cString: strerror(errno))
            if socket >= 0 { close(socket) }
            throw SpawnError(executable: "worker", reason: "its Runtime API cannot be opened: \(reason)")
        }
        self.socket = socket
        let parts = [24, 16, 8, 0].map { String(host >> $0 & 255) }
        address = "\(parts.joined(separator: ".")):\(UInt16(bigEndian: wanted.sin_port))"
    }

    deinit { if socket >= 0 { close(socket) } }

    /// The descriptor, which is the caller's from now on.
    func take() -> Int32 {
        defer { socket = -1 }
        return socket
    }
}
