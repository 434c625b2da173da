import FunctionCore
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The certificates in force, and how others come into force without a connection being dropped.
///
/// A connection keeps the context it began with, so whoever is connected notices nothing; whoever connects
/// next gets the new one. What cannot be used is refused as a whole, and the old stays.
///
/// Threading: any. What reads files blocks, and says so.
package final class CertificateStore: Sendable {
    /// What a look at the files came to.
    package enum Reload: Sendable, Equatable {
        case unchanged
        /// New certificates are in force.
        case renewed
        /// The files cannot be used, and those before stay in force.
        case refused(String)
    }

    private struct State {
        var context: NIOSSLContext
        var certificates: [Certificate]
        var marks: [FileMark]
    }

    private let files: [CertificateFiles]
    private let state: Mutex<State>

    /// Reads the files, of which the first pair serves clients that name no host, or one that is not known.
    ///
    /// Blocks.
    package init(_ files: [CertificateFiles]) throws(CertificateError) {
        let marks = FileMark.all(files)
        let certificates = try CertificateStore.load(files)
        self.files = files
        let context = try CertificateStore.context(certificates)
        state = Mutex(State(context: context, certificates: certificates, marks: marks))
    }

    /// What an operator should know of the certificates in force.
    package func warnings(now: Instant) -> [String] {
        state.withLock { $0.certificates }.compactMap { $0.warning(now: now) }
    }

    /// For the next connection.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Reads the files again; blocks.
    ///
    /// Unless it is `forced`, only files that have another time, size or place than when they were last read
    /// are looked at, so that a fault is told once.
    package func reload(forced: Bool) -> Reload {
        let marks = FileMark.all(files)
        let isSame = state.withLock { state in
            defer { state.marks = marks }
            return state.marks == marks
        }
        if isSame, !forced { return .unchanged }
        do throws(CertificateError) {
            let certificates = try CertificateStore.load(files)
            let context = try CertificateStore.context(certificates)
            state.withLock { state in
                state.context = context
                state.certificates = certificates
            }
            return .renewed
        } catch {
            return .refused(error.message)
        }
    }

    /// Looks at the files every `interval`, on a thread that may block, until the task returned is
    /// cancelled.
    package func watch(
        on loop: any EventLoop,
        every interval: Duration = .seconds(5),
        tell: @escaping @Sendable (Reload) -> Void
    ) -> RepeatedTask {
        let pause = TimeAmount.nanoseconds(interval.nanoseconds)
        return loop.scheduleRepeatedAsyncTask(initialDelay: pause, delay: pause) { _ in
            NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
                let reload = self.reload(forced: false)
                if reload != .unchanged { tell(reload) }
            }
        }
    }

    private static func load(_ files: [CertificateFiles]) throws(CertificateError) -> [Certificate] {
        var certificates: [Certificate] = []
        for pair in files { certificates.append(try Certificate(pair)) }
        return certificates
    }

    private static func context(_ certificates: [Certificate]) throws(CertificateError) -> NIOSSLContext {
        guard let first = certificates.first else {
            throw CertificateError(message: "no certificate is named")
        }
        var configuration = ServerTLS.configuration(of: first)
        if certificates.count > 1 {
            configuration.sslContextCallback = { hello, promise in
                var override = NIOSSLContextConfigurationOverride.noChanges
                let host = hello.serverHostname?.lowercased() ?? ""
                if !first.covers(host), let other = certificates.first(where: { $0.covers(host) }) {
                    override.certificateChain = other.chain
                    override.privateKey = other.key
                }
                promise.succeed(override)
            }
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw CertificateError(message: "\(first.files.certificate) cannot be used: \(error)")
        }
    }
}

/// What tells that a file is another one than before.
private struct FileMark: Sendable, Equatable {
    private var inode: UInt64 = 0
    private var size: Int64 = 0
    private var seconds: Int64 = 0
    private var nanoseconds: Int64 = 0

    private init(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = Int64(status.st_mtim.tv_sec)
        nanoseconds = Int64(status.st_mtim.tv_nsec)
    }

    static func all(_ files: [CertificateFiles]) -> [FileMark] {
        files.flatMap { [FileMark($0.certificate), FileMark($0.key)] }
    }
}

/// How the host speaks TLS.
enum ServerTLS {
    static func configuration(of certificate: Certificate) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificate.chain,
            privateKey: certificate.key
        )
        configuration.minimumTLSVersion = .tlsv12
        // Of TLS 1.2 only what HTTP/2 allows (RFC 9113, 9.2.2): ephemeral keys and AEAD.
        configuration.cipherSuites = "ECDH+AESGCM:ECDH+CHACHA20"
        // For the other side's last word, which a client that is gone never says.
        configuration.shutdownTimeout = .seconds(1)
        configuration.applicationProtocols = ["h2", "http/1.1"]
        return configuration
    }
}
