import Processes
import TestSupport

/// Real clients beside the raw one.
enum Curl {
    /// What curl printed: with `-i` the head as well.
    static func run(_ arguments: [String]) async throws -> Ran {
        try await Ran.run(ChildSpec("curl", ["-s", "--max-time", "20"] + arguments))
    }
}

/// A certificate that a test made for itself.
struct TestCertificate {
    let certificate: String
    let key: String

    /// Signed by itself, for 30 days.
    static func make(
        _ name: String,
        for hosts: [String],
        in workspace: Workspace
    ) async throws -> TestCertificate {
        let made = TestCertificate(
            certificate: "\(workspace.path)/\(name).pem",
            key: "\(workspace.path)/\(name).key"
        )
        let names = hosts.map { "DNS:\($0)" }.joined(separator: ",")
        let ran = try await Ran.run(
            ChildSpec(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "30",
                    "-subj", "/CN=\(name)", "-addext", "subjectAltName=\(names)", "-out", made.certificate,
                    "-keyout", made.key,
                ]
            )
        )
        guard ran.code == 0 else { throw DevHost.Failure(ran.all) }
        return made
    }
}
