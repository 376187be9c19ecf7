import Glibc
import PeerToPeer
import TestSupport
import Testing
import WebServer

@Suite struct ServerCertificateTests {
    @Test func whatIsBrokenChangesNothing() throws {
        try PeerLibraries.open()
        let (first, second) = (try PeerCertificate(), try PeerCertificate())
        let folder = "/tmp/edge-agent-certificate-\(getpid())"
        mkdir(folder, 0o700)
        defer { removeFolder(folder) }
        let (certificate, key) = (folder + "/certificate.pem", folder + "/key.pem")
        let server = ServerCertificate(certificate: certificate, key: key)
        #expect(throws: ServerCertificate.Problem.self) { try server.review() }
        try writeFile(certificate, first.pem)
        try writeFile(key, first.pem)
        #expect(try server.review())
        // OpenSSL and the server's library agree on what it is.
        #expect(server.fingerprint.map { "sha-256 " + $0 } == first.fingerprint.text && server.problem == nil)
        #expect(try !server.review())
        // From yesterday on, for ten years.
        let now = Int64(time(nil))
        let validity = try #require(server.validity)
        #expect(validity.contains(now - 80_000) && !validity.contains(now - 90_000))
        #expect(validity.contains(now + 3649 * 86_400) && !validity.contains(now + 3651 * 86_400))
        // The certificate is there before its key.
        try writeFile(certificate, second.pem)
        #expect(throws: ServerCertificate.Problem.self) { try server.review() }
        // Told once.
        #expect(try !server.review())
        #expect(server.fingerprint.map { "sha-256 " + $0 } == first.fingerprint.text && server.problem != nil)
        try writeFile(key, second.pem)
        #expect(try server.review())
        #expect(server.fingerprint.map { "sha-256 " + $0 } == second.fingerprint.text && server.problem == nil)
        let wrong: [[UInt8]] = [
            [], Array("nonsense".utf8), Array(first.pem.prefix(300)), [UInt8](repeating: 97, count: 300_000),
        ]
        for bytes in wrong {
            try writeFile(certificate, bytes)
            #expect(throws: ServerCertificate.Problem.self) { try server.review() }
            #expect(server.fingerprint.map { "sha-256 " + $0 } == second.fingerprint.text)
        }
        try writeFile(certificate, second.pem)
        #expect(try server.review())
        unlink(key)
        #expect(throws: ServerCertificate.Problem.self) { try server.review() }
        #expect(try !server.review() && server.problem != nil)
        // It was away for a moment.
        try writeFile(key, second.pem)
        #expect(try !server.review() && server.problem == nil)
    }
}
