import FunctionCore
import Glibc
import NIOSSL

/// Where a certificate with its chain lies, and where its key does; both in PEM.
package struct CertificateFiles: Sendable, Hashable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// Why a certificate cannot be used.
package struct CertificateError: Error, Sendable, CustomStringConvertible {
    /// Names the file, what is wrong with it, and the remedy; never anything out of a key.
    package var message: String

    package var description: String { message }
}

/// A certificate with its chain and key, read and found to belong together.
struct Certificate: Sendable {
    let files: CertificateFiles
    /// The host names it is for, in small letters, `*.example.com` among them.
    let names: [String]
    let notBefore: Instant
    let notAfter: Instant
    let chain: [NIOSSLCertificateSource]
    let key: NIOSSLPrivateKeySource

    /// Reads both files; blocks.
    init(_ files: CertificateFiles) throws(CertificateError) {
        self.files = files
        let (certificates, secret) = (try Self.read(files.certificate), try Self.read(files.key))
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(certificates), let leaf = chain.first else {
            throw CertificateError(
                message: "\(files.certificate) holds no certificate; it must be PEM, the host's own first, "
                    + "then those between it and the authority"
            )
        }
        // Without a callback BoringSSL would ask for a passphrase on the terminal.
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(bytes: secret, format: .pem) { (_: (([UInt8]) -> Void)) in
                throw CertificateError(message: "encrypted")
            }
        } catch {
            throw CertificateError(
                message: "\(files.key) holds no key that can be read; it must be PEM and not encrypted"
            )
        }
        self.chain = chain.map { .certificate($0) }
        self.key = .privateKey(key)
        names = leaf._subjectAlternativeNames().filter { $0.nameType == .dnsName }.map {
            String(decoding: $0.contents, as: UTF8.self).lowercased()
        }
        notBefore = Instant(seconds: Int64(leaf.notValidBefore))
        notAfter = Instant(seconds: Int64(leaf.notValidAfter))
        // BoringSSL compares the two when a context takes them.
        guard (try? NIOSSLContext(configuration: ServerTLS.configuration(of: self))) != nil else {
            throw CertificateError(
                message: "the key \(files.key) does not belong to the certificate \(files.certificate); "
                    + "name the two that were made together"
            )
        }
    }

    /// What an operator should know of it; nil where all is well.
    func warning(now: Instant) -> String? {
        if now < notBefore { return "\(files.certificate) is not valid before \(notBefore.rfc3339)" }
        if now >= notAfter { return "\(files.certificate) has expired on \(notAfter.rfc3339)" }
        let left = notAfter - now
        guard left < .seconds(7 * 86_400) else { return nil }
        return "\(files.certificate) expires on \(notAfter.rfc3339)"
    }

    /// Whether it is for that host name, in small letters; `*` stands for one label.
    func covers(_ host: String) -> Bool {
        if names.contains(host) { return true }
        guard let dot = host.firstIndex(of: "."), dot != host.startIndex else { return false }
        return names.contains("*" + host[dot...])
    }

    private static func read(_ path: String) throws(CertificateError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CertificateError(message: "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        // A chain with its key takes some 8 KiB.
        let limit = 1 << 20
        // SAFETY: read writes at most `limit` bytes into the buffer, and its result is what is kept.
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            while count < limit {
                let result = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), limit - count)
                guard result > 0 else { break }
                count += result
            }
        }
        guard !bytes.isEmpty else { throw CertificateError(message: "\(path) is empty") }
        return bytes
    }
}
