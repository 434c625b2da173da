import HTTPTrigger
import Settings
import TLS

extension Configuration {
    /// The proxies in front of the gateway.
    func proxies(_ problems: Problems) -> TrustedProxies {
        word("gateway.forwarded", TrustedProxies.Form.allCases.map(\.rawValue), problems)
        let form = TrustedProxies.Form(rawValue: self["gateway.forwarded"]) ?? .xForwarded
        let ranges = list("gateway.trustedProxies").compactMap { text in
            let range = AddressRange(text)
            if range == nil {
                wrong(
                    "gateway.trustedProxies",
                    "`\(text)` is no range of addresses",
                    "such as 127.0.0.1, 10.0.0.0/8 or fd00::/8, with no bits set behind the prefix",
                    problems
                )
            }
            return range
        }
        return TrustedProxies(ranges, form: form)
    }

    /// Where certificates and keys lie, read and found to fit; nil where the gateway speaks plain HTTP.
    ///
    /// Blocks for as long as the files take.
    func certificates(_ problems: Problems) -> CertificateStore? {
        let (certificates, keys) = (list("tls.certificate"), list("tls.key"))
        guard certificates.count == keys.count else {
            let key = certificates.count > keys.count ? "tls.key" : "tls.certificate"
            let count = "\(certificates.count) certificates and \(keys.count) keys are named"
            wrong(key, count, "name one of each, in the same order, with commas between", problems)
            return nil
        }
        guard !certificates.isEmpty else { return nil }
        do throws(CertificateError) {
            return try CertificateStore(
                zip(certificates, keys).map { CertificateFiles(certificate: $0, key: $1) }
            )
        } catch {
            wrong("tls.certificate", error.message, "see \"TLS and proxies\" in the guide", problems)
            return nil
        }
    }

    func list(_ name: String) -> [String] {
        self[name].split(separator: ",").map { $0.trimmingPrefix(while: \.isWhitespace) }.map { text in
            var text = text
            while text.last?.isWhitespace == true { text.removeLast() }
            return String(text)
        }.filter { !$0.isEmpty }
    }
}
