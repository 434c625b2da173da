import FunctionCore
import Glibc
import NIOCore
import NIOPosix
import Processes
import RedisTrigger
import TLS
import TestSupport
import Testing

/// An authority made for a test, and a certificate that it signed.
private struct TestAuthority {
    let folder: String

    var certificate: String { "\(folder)/ca.pem" }
    var server: CertificateFiles {
        CertificateFiles(certificate: "\(folder)/server.pem", key: "\(folder)/server.key")
    }

    static func make(_ name: String, for host: String, in workspace: Workspace) async throws -> TestAuthority
    {
        let authority = TestAuthority(folder: "\(workspace.path)/\(name)")
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
        let folder = authority.folder
        try #require(mkdir(folder, 0o700) == 0)
        let steps = [
            ["req", "-x509"] + key
                + ["-subj", "/CN=\(name)", "-out", "\(folder)/ca.pem", "-keyout", "\(folder)/ca.key"],
            ["req", "-x509"] + key
                + [
                    "-CA", "\(folder)/ca.pem", "-CAkey", "\(folder)/ca.key", "-subj", "/CN=server", "-addext",
                    "subjectAltName=\(host)", "-addext", "basicConstraints=critical,CA:false", "-out",
                    "\(folder)/server.pem", "-keyout", "\(folder)/server.key",
                ],
        ]
        for step in steps {
            let ran = try await Ran.run(ChildSpec("openssl", step))
            guard ran.code == 0 else { throw DevHost.Failure(ran.all) }
        }
        return authority
    }
}

@Suite(.timeLimit(.minutes(1)))
struct RedisSecurityTests {
    private let workspace = Workspace()

    /// A port that was free a moment ago.
    private func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        try await channel.close().get()
        return port
    }

    private func security(
        trusting authority: TestAuthority?,
        own: CertificateFiles? = nil
    ) throws -> RedisConnection.Security {
        let security = try ClientSecurity(authorities: authority?.certificate, own: own)
        return { try security.setUp($0, host: $1) }
    }

    private func arguments(_ authority: TestAuthority, _ port: Int, wantsCertificate: Bool) -> [String] {
        [
            "--tls-port", "\(port)", "--tls-cert-file", authority.server.certificate, "--tls-key-file",
            authority.server.key, "--tls-ca-cert-file", authority.certificate, "--tls-auth-clients",
            wantsCertificate ? "yes" : "no",
        ]
    }

    /// Connects and asks; the error's message where that fails.
    private func ask(_ url: String, _ security: RedisConnection.Security?) async throws -> String {
        let client = RedisClient(
            url: try RedisURL(url),
            on: MultiThreadedEventLoopGroup.singleton.next(),
            security: security
        )
        do throws(RedisError) {
            try await client.connect()
            let reply = try await client.send(["PING"])
            await client.shutdown()
            return reply.text ?? ""
        } catch {
            await client.shutdown()
            return error.message
        }
    }

    @Test("a server is spoken to by TLS when its authority is known, by name and by address")
    func trusted() async throws {
        let authority = try await TestAuthority.make("ca", for: "DNS:localhost,IP:127.0.0.1", in: workspace)
        let port = try await freePort()
        let arguments = arguments(authority, port, wantsCertificate: false)
        try await RedisServer.run(arguments: arguments) { _ in
            let security = try security(trusting: authority)
            #expect(try await ask("rediss://localhost:\(port)/3", security) == "PONG")
            #expect(try await ask("rediss://127.0.0.1:\(port)", security) == "PONG")
            #expect(try await ask("rediss://127.0.0.1:\(port)", nil).contains("none is set up"))
        }
    }

    @Test(
        "a certificate that nobody known has signed, or that is for another host, is refused in plain words"
    )
    func refused() async throws {
        let authority = try await TestAuthority.make("ca", for: "DNS:redis.example", in: workspace)
        let other = try await TestAuthority.make("other", for: "DNS:localhost", in: workspace)
        let port = try await freePort()
        let arguments = arguments(authority, port, wantsCertificate: false)
        try await RedisServer.run(arguments: arguments) { _ in
            let unknown = try await ask("rediss://localhost:\(port)", security(trusting: other))
            #expect(unknown.contains("the server's certificate is not trusted"), "\(unknown)")
            let system = try await ask("rediss://localhost:\(port)", security(trusting: nil))
            #expect(system.contains("the server's certificate is not trusted"), "\(system)")
            let wrong = try await ask("rediss://localhost:\(port)", security(trusting: authority))
            #expect(wrong.contains("for another host"), "\(wrong)")
        }
    }

    @Test("a server that asks who one is gets our certificate, and refuses whoever has none")
    func own() async throws {
        let authority = try await TestAuthority.make("ca", for: "DNS:localhost", in: workspace)
        let port = try await freePort()
        try await RedisServer.run(arguments: arguments(authority, port, wantsCertificate: true)) { _ in
            let own = try security(trusting: authority, own: authority.server)
            #expect(try await ask("rediss://localhost:\(port)", own) == "PONG")
            let none = try await ask("rediss://localhost:\(port)", security(trusting: authority))
            #expect(none != "PONG")
        }
    }

    @Test(
        "a user of the ACL is let in with the right password, by TCP and by socket, into the right database"
    )
    func users() async throws {
        let port = try await freePort()
        try await RedisServer.run(arguments: ["--port", "\(port)"]) { server in
            try await withClient(server.url) { client in
                _ = try await client.send(["ACL", "SETUSER", "me", "on", ">p@w", "~mine:*", "+@all"])
                _ = try await client.send(["CONFIG", "SET", "requirepass", "other"])
            }
            let socket = server.url.dropFirst("unix://".count)
            for url in ["redis://me:p%40w@127.0.0.1:\(port)/2", "unix://me:p%40w@\(socket)?db=2"] {
                try await withClient(url) { client in
                    #expect(try await client.send(["SET", "mine:a", "1"]).text == "OK")
                    let info = try await client.send(["CLIENT", "INFO"]).text ?? ""
                    #expect(info.contains(" db=2 ") && info.contains(" user=me "))
                    let error = await #expect(throws: RedisError.self) {
                        try await client.send(["GET", "yours"])
                    }
                    #expect(error?.kind == "NOPERM")
                }
            }
            let wrong = try await ask("redis://me:no@127.0.0.1:\(port)", nil)
            #expect(wrong.contains("WRONGPASS"))
        }
    }
}
