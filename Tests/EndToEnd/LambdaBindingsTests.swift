import FunctionCore
import Processes
import TestSupport
import Testing

extension Scenarios {
    @Suite("Bindings of functions on AWS Lambda", .timeLimit(.minutes(2)))
    struct LambdaBindingsTests {
        private let token = String(repeating: "t", count: 40)

        /// A host whose gateway speaks TLS with a certificate of its own, and its files in `place`.
        private func withHost(_ place: String, _ body: (DevHost) async throws -> Void) async throws {
            let (certificate, key) = ("\(place)/own.pem", "\(place)/own.key")
            let made = try await Ran.run(
                ChildSpec(
                    "openssl",
                    [
                        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=bindings", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-out", certificate, "-keyout", key,
                    ]
                )
            )
            #expect(made.code == 0, "\(made.all)")
            let options = DevHost.Options(
                environment: [
                    "SWIFTLET_TLS_CERTIFICATE": certificate, "SWIFTLET_TLS_KEY": key,
                    "SWIFTLET_BINDINGS_TOKEN": token,
                ]
            )
            try await DevHost.run(options, body)
        }

        @Test("shipped functions call a host's bindings over HTTPS, whole and streamed; what fails says why")
        func calls() async throws {
            let place = try TemporaryPlace()
            defer { place.remove() }
            try await withHost(place.path) { host in
                let script = "\(Installed.project)/Tests/EndToEnd/LambdaBootstrap/scripted.py"
                let arguments = [
                    script, "\(Installed.directory)/functions", "bindings", host.gateway, token,
                    "\(place.path)/own.pem",
                ]
                let spec = ChildSpec("/usr/bin/python3", arguments)
                let ran = try await ChildProcess.run(spec, timeout: .seconds(90))
                #expect(ran.status == .exited(0), "\(ran.output.text)\(ran.errors.text)")
            }
        }

        @Test(
            "a malformed call is answered with the field or the rule, and no host without a token has the route"
        )
        func refusals() async throws {
            let options = DevHost.Options(environment: ["SWIFTLET_BINDINGS_TOKEN": token])
            try await DevHost.run(options) { host in
                let calls = "\(host.gateway)/_swiftlet/calls"
                #expect(try await HTTP.send("POST", calls, Bytes()).code == "token_required")
                let bearer = Header("authorization", "Bearer \(token)")
                let none = try await HTTP.send("POST", calls, Bytes(), [bearer])
                #expect(none.status == 400 && none.message.contains("swiftlet-protocol"), "\(none.text)")
                let old = try await HTTP.send(
                    "POST",
                    calls,
                    Bytes(),
                    [bearer, Header("swiftlet-protocol", "1")]
                )
                #expect(old.status == 409 && old.code == "protocol_mismatch", "\(old.text)")
                let head = [
                    Header("swiftlet-invocation", "i-1"), Header("swiftlet-attempt", "1"),
                    Header("swiftlet-timeout-ms", "1000"),
                ]
                let version = old.message.split { !$0.isNumber }.last.map { String($0) } ?? ""
                let known = head + [bearer, Header("swiftlet-protocol", version)]
                let nobody = known + [Header("swiftlet-function", "nobody")]
                #expect(try await HTTP.send("POST", calls, Bytes(), nobody).status == 404)
                let motto = known + [Header("swiftlet-function", "motto")]
                #expect(try await HTTP.send("POST", calls, "no frame at all", motto).code == "bad_call")
            }
            try await DevHost.run { host in
                let answer = try await HTTP.send("POST", "\(host.gateway)/_swiftlet/calls", Bytes())
                #expect(answer.status == 404)
            }
        }
    }
}
