import Configuration
import Glibc
import Logging
import Media
import PeerToPeer
import Streaming
import WebServer

/// The certificate of the web server: made where there is to be one of the agent's own, and read again when its files
/// change.
final class CertificateService: Sendable {
    /// Nil for plain HTTP.
    let certificate: ServerCertificate?
    private let ownPath: String?
    private let logger: Logger

    /// How often the files are looked at.
    private static let interval: UInt64 = 5_000_000_000

    init(_ tls: ServerTLS, stateFolder: String, logger: Logger) {
        self.logger = logger
        switch tls {
        case .off: (certificate, ownPath) = (nil, nil)
        case .selfSigned:
            let path = stateFolder + "/server-certificate.pem"
            (certificate, ownPath) = (ServerCertificate(certificate: path, key: path), path)
        case .files(let certificate, let key):
            (self.certificate, ownPath) = (ServerCertificate(certificate: certificate, key: key), nil)
        }
    }

    /// Before the server starts. Blocks.
    func begin() throws(WebServerError) {
        guard let certificate else { return }
        if let ownPath, access(ownPath, F_OK) != 0 { try make(ownPath) }
        do throws(ServerCertificate.Problem) {
            _ = try certificate.review()
        } catch {
            throw WebServerError("cannot speak TLS: \(error); see server.tls")
        }
        logger.notice("viewers come over TLS", metadata: ["fingerprint": "\(certificate.fingerprint ?? "")"])
    }

    /// With OpenSSL, which is opened for this once.
    private func make(_ path: String) throws(WebServerError) {
        do {
            try PeerLibraries.open()
            var problem: String?
            _ = try PeerCertificate.kept(at: path) { problem = $0 }
            if let problem { throw WebServerError("cannot make a certificate: \(problem)") }
        } catch let error as WebServerError {
            throw error
        } catch {
            throw WebServerError("cannot make a certificate: \(error); see server.tls")
        }
    }

    /// Looks after the files until it is cancelled. What is broken is told once, and the old certificate goes on.
    func lookAfter() async {
        guard let certificate else { return }
        while (try? await Task.sleep(nanoseconds: Self.interval)) != nil {
            let result = await MediaThread.run(name: "certificate") {
                Result { () throws(ServerCertificate.Problem) in try certificate.review() }
            }
            switch result {
            case .success(false): break
            case .success(true):
                logger.notice(
                    "the web server has a new certificate",
                    metadata: ["fingerprint": "\(certificate.fingerprint ?? "")"])
            case .failure(let problem):
                logger.error(
                    "the web server's new certificate is not usable; the old one goes on",
                    metadata: ["detail": "\(problem)"])
            }
        }
    }
}
