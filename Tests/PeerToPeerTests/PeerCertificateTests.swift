import Glibc
import PeerToPeer
import TestSupport
import Testing

@Suite struct PeerCertificateTests {
    init() throws { try PeerLibraries.open() }

    @Test func whatIsKeptIsTheSameAfterwards() throws {
        let certificate = try PeerCertificate()
        #expect(certificate.fingerprint.bytes.count == 32)
        #expect(try PeerCertificate(pem: certificate.pem).fingerprint == certificate.fingerprint)
        #expect(try PeerCertificate().fingerprint != certificate.fingerprint)
    }

    @Test func aBrokenFileIsNoCertificate() throws {
        let pem = try PeerCertificate().pem
        #expect(throws: PeerCertificate.Problem.self) { try PeerCertificate(pem: Array(pem.prefix(pem.count / 2))) }
        #expect(throws: PeerCertificate.Problem.self) { try PeerCertificate(pem: []) }
    }

    @Test func fingerprintsAreReadAndCompared() throws {
        let fingerprint = try PeerCertificate().fingerprint
        let read = try #require(CertificateFingerprint(fingerprint.text.lowercased()))
        #expect(read.matches(fingerprint))
        for place in fingerprint.bytes.indices {
            var bytes = fingerprint.bytes
            bytes[place] ^= 1
            #expect(!CertificateFingerprint(function: .sha256, bytes: bytes).matches(fingerprint))
        }
        for text in ["", "sha-256", "sha-1 AA:BB", "sha-256 AA:BB", "sha-256 " + fingerprint.text] {
            #expect(CertificateFingerprint(text) == nil)
        }
    }
}
