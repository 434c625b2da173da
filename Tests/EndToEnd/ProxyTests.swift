import FunctionCore
import Glibc
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite(
        "Behind nginx",
        .timeLimit(.minutes(1)),
        .enabled(if: findExecutable("nginx") != nil, "nginx is not installed")
    )
    struct ProxyTests {
        /// nginx with the configuration of `deploy/nginx`, on a free port, with its files in `place`.
        private func run(
            _ host: DevHost,
            _ place: String,
            _ body: (_ port: Int) async throws -> Void
        ) async throws {
            let port = try await freePort()
            let made = try await Ran.run(
                ChildSpec(
                    "openssl",
                    [
                        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2",
                        "-subj", "/CN=proxy", "-addext", "subjectAltName=IP:127.0.0.1", "-out",
                        "\(place)/proxy.pem",
                        "-keyout", "\(place)/proxy.key",
                    ]
                )
            )
            #expect(made.code == 0, "\(made.all)")
            let sample = try #require(Text.read("\(Installed.project)/deploy/nginx/swiftlet.conf"))
            let site =
                sample
                .replacing("listen 443", with: "listen 127.0.0.1:\(port)")
                .replacing("server 127.0.0.1:8080", with: "server \(host.gateway.dropFirst("http://".count))")
                .replacing(
                    "/etc/letsencrypt/live/swiftlet.example.com/fullchain.pem",
                    with: "\(place)/proxy.pem"
                )
                .replacing(
                    "/etc/letsencrypt/live/swiftlet.example.com/privkey.pem",
                    with: "\(place)/proxy.key"
                )
                .replacing("/var/cache/nginx/swiftlet", with: "\(place)/cache")
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
                "\($0)_temp_path \(place)/\($0);"
            }
            let whole = """
                daemon off; master_process off; pid \(place)/nginx.pid; error_log \(place)/nginx.log;
                events {}
                http { access_log off; \(temporary.joined(separator: " "))
                \(site)
                }
                """
            Text.write(whole.utf8, to: "\(place)/nginx.conf")
            let process = try ChildProcess.spawn(
                ChildSpec("nginx", ["-p", place, "-e", "\(place)/nginx.log", "-c", "\(place)/nginx.conf"])
            ) { _ in }
            defer { process.signal(SIGKILL) }
            _ = try await eventually("nginx, \(Text.read("\(place)/nginx.log") ?? "")") {
                try await curl(port, "/assets/app.3f9ac2d1.js").0 == 200 ? true : nil
            }
            try await body(port)
        }

        /// A port that was free a moment ago.
        private func freePort() async throws -> Int {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            // SAFETY: an address of IPv4 is read and written as what it is, of the length that goes along.
            let result = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
                }
            }
            try #require(result)
            return Int(UInt16(bigEndian: address.sin_port))
        }

        private func curl(
            _ port: Int,
            _ path: String,
            _ arguments: [String] = []
        ) async throws -> (Int, head: String) {
            let ran = try await Ran.run(
                ChildSpec(
                    "curl",
                    ["-sk", "--max-time", "10", "-D", "-", "-o", "/dev/null", "-w", "%{http_code}"]
                        + arguments
                        + ["https://127.0.0.1:\(port)\(path)"]
                )
            )
            return (Int(ran.output.suffix(3)) ?? 0, ran.output)
        }

        @Test("nginx keeps static files by our headers, revalidates what may change, and passes functions on")
        func cache() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            var options = FixtureProject.options(in: place.path)
            let assets = "\(place.path)/Functions/echo/web"
            mkdir(assets, 0o700)
            Text.write("let a = 1;".utf8, to: "\(assets)/app.3f9ac2d1.js")
            Text.write("body {}".utf8, to: "\(assets)/plain.css")
            let manifest = """
                triggers: {http: [{method: POST, path: /echo}]}
                static: [{path: /assets, folder: web, maxAge: 1s}]
                """
            FixtureProject.write("echo", manifest, in: place.path)
            options.environment = ["SWIFTLET_TRUSTED_PROXIES": "127.0.0.1", "SWIFTLET_LOG_LEVEL": "debug"]
            try await DevHost.run(options) { host in
                try await run(host, place.path) { port in
                    let hashed = try await curl(port, "/assets/app.3f9ac2d1.js")
                    #expect(
                        hashed.head.contains("X-Cache-Status: HIT")
                            || hashed.head.contains("x-cache-status: HIT"),
                        "\(hashed.head)"
                    )
                    #expect(hashed.head.contains("immutable"))
                    #expect(
                        try await curl(port, "/assets/plain.css").head.lowercased().contains("status: miss")
                    )
                    #expect(
                        try await curl(port, "/assets/plain.css").head.lowercased().contains("status: hit")
                    )
                    // After its second the file is asked for again, by its tag.
                    let again = try await eventually("a revalidation") { () -> String? in
                        let head = try await curl(port, "/assets/plain.css").head.lowercased()
                        return head.contains("status: revalidated") || head.contains("status: stale")
                            || head.contains("status: updating") ? head : nil
                    }
                    #expect(again.contains("etag: "))
                    let spoof = ["-X", "POST", "-d", "{}", "-H", "X-Forwarded-For: 203.0.113.9"]
                    #expect(try await curl(port, "/echo", spoof).0 == 200)
                    // Lines are written by a thread of their own.
                    let log = try await eventually("the request's line") { () -> String? in
                        let text = Text.read("\(host.data)/logs/swiftlet.jsonl") ?? ""
                        return text.contains("\"route\":\"/echo\"") ? text : nil
                    }
                    #expect(!log.contains("203.0.113.9"))
                }
            }
        }
    }
}
