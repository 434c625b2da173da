import FunctionCore
import Glibc
import HTTPTrigger
import NIOCore
import NIOPosix
import Processes
import TLS
import TestSupport
import Testing

@Suite("Certificates", .timeLimit(.minutes(1)))
struct CertificateTests {
    private let workspace = Workspace()

    private func make(_ name: String, for hosts: [String] = ["localhost"]) async throws -> CertificateFiles {
        let made = try await TestCertificate.make(name, for: hosts, in: workspace)
        return CertificateFiles(certificate: made.certificate, key: made.key)
    }

    /// Asks over TLS for a path that no route has, as the client of `authority` would; curl's exit status and
    /// the answer's.
    private func ask(_ port: Int, _ host: String, trusting authority: String?) async throws -> (Int32, String)
    {
        var arguments = ["-o", "/dev/null", "-w", "%{http_code}", "--resolve", "\(host):\(port):127.0.0.1"]
        if let authority { arguments += ["--cacert", authority] }
        let ran = try await Curl.run(arguments + ["https://\(host):\(port)/none"])
        return (ran.code, ran.output)
    }

    @Test("files that cannot be used are refused with a word that names them")
    func refused() async throws {
        let (one, two) = (try await make("one"), try await make("two"))
        store(Array("-----BEGIN CERTIFICATE-----\nnonsense\n".utf8), at: "\(workspace.path)/bad.pem")
        store([], at: "\(workspace.path)/empty.pem")
        let cases = [
            ("\(workspace.path)/none.pem", one.key, "none.pem cannot be read: No such file"),
            (one.certificate, "\(workspace.path)/none.key", "none.key cannot be read"),
            ("\(workspace.path)/bad.pem", one.key, "bad.pem holds no certificate"),
            (one.certificate, "\(workspace.path)/bad.pem", "bad.pem holds no key"),
            (one.certificate, one.certificate, "one.pem holds no key"),
            ("\(workspace.path)/empty.pem", one.key, "empty.pem is empty"),
            (one.certificate, two.key, "two.key does not belong to the certificate"),
        ]
        for (certificate, key, words) in cases {
            let error = #expect(throws: CertificateError.self) {
                try CertificateStore([CertificateFiles(certificate: certificate, key: key)])
            }
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "none")")
        }
    }

    @Test("a key that asks for a passphrase is refused, and nobody is asked")
    func encrypted() async throws {
        let one = try await make("one")
        let locked = "\(workspace.path)/locked.key"
        let ran = try await Ran.run(
            ChildSpec(
                "openssl",
                ["ec", "-in", one.key, "-aes128", "-passout", "pass:secret", "-out", locked]
            )
        )
        #expect(ran.code == 0, "\(ran.all)")
        let error = #expect(throws: CertificateError.self) {
            try CertificateStore([CertificateFiles(certificate: one.certificate, key: locked)])
        }
        #expect(error?.message.contains("not encrypted") == true)
    }

    @Test("a certificate that is over, not yet there, or soon over is used with a warning")
    func warns() async throws {
        let store = try CertificateStore([try await make("one")])
        let now = Instant(seconds: Int64(time(nil)))
        #expect(store.warnings(now: now + .seconds(60)).isEmpty)
        #expect(store.warnings(now: now + .seconds(25 * 86_400)).first?.contains("expires on") == true)
        #expect(store.warnings(now: now + .seconds(31 * 86_400)).first?.contains("has expired") == true)
        #expect(store.warnings(now: now + .seconds(-86_400)).first?.contains("is not valid before") == true)
    }

    @Test(
        "a client that does not trust the certificate goes no further, and neither does one of another name"
    )
    func untrusted() async throws {
        let (one, two) = (try await make("one"), try await make("two"))
        try await TestServer.run(layer: SecureLayer(try CertificateStore([one]))) { (server) async throws in
            #expect(try await ask(server.server.port, "localhost", trusting: one.certificate) == (0, "404"))
            // 60: the certificate cannot be verified.
            #expect(try await ask(server.server.port, "localhost", trusting: nil).0 == 60)
            #expect(try await ask(server.server.port, "localhost", trusting: two.certificate).0 == 60)
            #expect(try await ask(server.server.port, "other.test", trusting: one.certificate).0 == 60)
        }
    }

    @Test("each host is served its own certificate, and an unknown one the first")
    func names() async throws {
        let one = try await make("one", for: ["one.test"])
        let two = try await make("two", for: ["two.test", "*.two.test"])
        try await TestServer.run(layer: SecureLayer(try CertificateStore([one, two]))) {
            (server) async throws in
            let port = server.server.port
            #expect(try await ask(port, "one.test", trusting: one.certificate) == (0, "404"))
            #expect(try await ask(port, "two.test", trusting: two.certificate) == (0, "404"))
            #expect(try await ask(port, "a.two.test", trusting: two.certificate) == (0, "404"))
            #expect(try await ask(port, "a.b.two.test", trusting: two.certificate).0 == 60)
            #expect(try await ask(port, "three.test", trusting: one.certificate).0 == 60)
        }
    }

    @Test("a new certificate comes into force for the next connection, and those that are open go on")
    func renewed() async throws {
        let (old, new, third) = (try await make("old"), try await make("new"), try await make("third"))
        let used = CertificateFiles(
            certificate: "\(workspace.path)/used.pem",
            key: "\(workspace.path)/used.key"
        )
        func put(_ certificate: CertificateFiles, _ key: CertificateFiles) {
            store(contents(certificate.certificate), at: used.certificate)
            store(contents(key.key), at: used.key)
        }
        put(old, old)
        let certificates = try CertificateStore([used])
        #expect(certificates.reload(forced: false) == .unchanged)
        try await TestServer.run(layer: SecureLayer(certificates)) { server in
            let port = server.server.port
            let client = try await SecureClient.connect(port, speaking: "http/1.1")
            try await client.send(TestServer.get("/none"))
            #expect(try await client.response().status == 404)

            put(new, new)
            #expect(certificates.reload(forced: false) == .renewed)
            #expect(try await ask(port, "localhost", trusting: new.certificate) == (0, "404"))
            #expect(try await ask(port, "localhost", trusting: old.certificate).0 == 60)
            try await client.send(TestServer.get("/none"))
            #expect(try await client.response().status == 404)

            // In the midst of a change: the key is another's still.
            put(third, new)
            guard case .refused(let reason) = certificates.reload(forced: false) else {
                Issue.record("the key of another certificate was taken")
                return
            }
            #expect(reason.contains("does not belong"))
            #expect(certificates.reload(forced: false) == .unchanged, "a fault is told once")
            #expect(try await ask(port, "localhost", trusting: new.certificate) == (0, "404"))
            put(third, third)
            #expect(certificates.reload(forced: true) == .renewed)
            #expect(try await ask(port, "localhost", trusting: third.certificate) == (0, "404"))
            try await client.close()
        }
    }

    @Test("a change is seen by itself")
    func watched() async throws {
        let (old, new) = (try await make("old"), try await make("new"))
        let certificates = try CertificateStore([old])
        let seen = Watched<[CertificateStore.Reload]>([])
        let watch = certificates.watch(on: TestServer.group.next(), every: .milliseconds(20)) { reload in
            seen.update { $0.append(reload) }
        }
        store(contents(new.key), at: old.key)
        store(contents(new.certificate), at: old.certificate)
        _ = await seen.wait { $0.last == .renewed }
        watch.cancel()
    }
}
