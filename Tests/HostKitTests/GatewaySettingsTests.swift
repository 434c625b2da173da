import HostKit
import Settings
import TestSupport
import Testing

@Suite("Settings of the gateway", .timeLimit(.minutes(1)))
struct GatewaySettingsTests {
    private func problems(_ flags: [String: String]) -> [String] {
        let problems = Problems()
        let configuration = Configuration.resolve(
            flags: flags,
            environment: [:],
            file: nil,
            problems: problems
        )
        _ = HostSettings(configuration, problems: problems)
        return problems.all.map(\.description)
    }

    @Test("the defaults are without fault, and so are proxies and forms that there are")
    func good() {
        #expect(problems([:]) == [])
        #expect(
            problems([
                "gateway.trustedProxies": "127.0.0.1, 10.0.0.0/8 ,fd00::/8", "gateway.forwarded": "forwarded",
            ]) == []
        )
    }

    @Test(
        "what cannot be is told with the key and the remedy",
        arguments: [
            ("gateway.trustedProxies", "10.0.0.1/8", "no range of addresses"),
            ("gateway.trustedProxies", "proxy", "no range"),
            ("gateway.forwarded", "both", "x-forwarded, forwarded"), ("gateway.gzip", "yes", "on, off"),
            ("tls.certificate", "/none.pem", "1 certificates and 0 keys"),
            ("tls.key", "/none.key", "0 certificates and 1 keys"),
        ]
    )
    func bad(key: String, value: String, words: String) {
        let problems = problems([key: value])
        #expect(problems.contains { $0.contains(words) }, "\(problems)")
    }

    @Test("certificates are looked at before anything is started")
    func certificates() {
        let problems = problems(["tls.certificate": "/none.pem", "tls.key": "/none.key"])
        #expect(problems.count == 1)
        #expect(
            problems[0].contains("tls.certificate: /none.pem cannot be read: No such file"),
            "\(problems)"
        )
    }
}
