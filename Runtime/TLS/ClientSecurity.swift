import NIOCore
import NIOSSL

/// TLS towards a server: whom to trust, and who one is oneself.
///
/// Threading: any.
package struct ClientSecurity: Sendable {
    private let context: NIOSSLContext

    /// Reads the files; blocks.
    ///
    /// - Parameters:
    ///   - authorities: a PEM file of the authorities to trust; nil for those of the system.
    ///   - own: what the server is shown where it asks who one is.
    /// - Throws: `CertificateError`, naming the file.
    package init(authorities: String? = nil, own: CertificateFiles? = nil) throws(CertificateError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let authorities {
            guard let found = try? NIOSSLCertificate.fromPEMFile(authorities), !found.isEmpty else {
                throw CertificateError(
                    message:
                        "\(authorities) holds no certificate that can be read; it must be the PEM file of "
                        + "the authority"
                )
            }
            configuration.trustRoots = .certificates(found)
        }
        if let own {
            let certificate = try Certificate(own)
            configuration.certificateChain = certificate.chain
            configuration.privateKey = certificate.key
        }
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw CertificateError(message: "TLS cannot be set up: \(error)")
        }
    }

    /// Puts TLS in front of what the channel has; `host` is whom the certificate must be for, an address by
    /// its own number.
    package func setUp(_ channel: any Channel, host: String) throws {
        let name = (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
        try channel.pipeline.syncOperations.addHandlers([
            NIOSSLClientHandler(context: context, serverHostname: name), TLSFault(),
        ])
    }
}

/// Says in words why TLS failed.
// SAFETY: a channel handler without state.
private final class TLSFault: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let text = "\(error)"
        let reason =
            if text.contains("CERTIFICATE_VERIFY_FAILED") {
                "the server's certificate is not trusted: no known authority has signed it, or it has expired"
            } else if text.contains("unableToValidateCertificate")
                || error as? NIOSSLExtraError == .failedToValidateHostname
            {
                "the server's certificate is for another host"
            } else if text.contains("CERTIFICATE_REQUIRED") || text.contains("HANDSHAKE_FAILURE") {
                "the server wants a certificate of ours, or takes none that we offer"
            } else if text.contains("WRONG_VERSION_NUMBER") {
                "the server does not speak TLS on this port"
            } else {
                text
            }
        context.fireErrorCaught(CertificateError(message: "TLS failed: \(reason)"))
    }
}
