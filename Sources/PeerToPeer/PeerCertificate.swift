import COpenSSL
import Glibc

/// The device's own certificate, by whose hash viewers know it: made at the first start and kept. Nobody signs it;
/// trust comes from the description that carries the hash.
package final class PeerCertificate: @unchecked Sendable {
    package struct Problem: Error, Sendable, CustomStringConvertible {
        package let description: String
        init(_ what: String) {
            let code = ERR_get_error()
            var text = [CChar](repeating: 0, count: 256)
            ERR_error_string_n(code, &text, text.count)
            ERR_clear_error()
            let detail = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            description = code == 0 ? what : "\(what): \(detail)"
        }
    }

    let key: OpaquePointer
    let certificate: OpaquePointer

    /// Browsers look only at the hash; what else may look finds ten years, from a day before a clock that may be wrong.
    private static let validSeconds = 10 * 365 * 86_400
    private static let daySeconds = 86_400

    /// A new one: P-256, signed by itself.
    package init() throws(Problem) {
        guard let key = copenssl_make_p256_key() else { throw Problem("no key could be made") }
        guard let certificate = X509_new() else {
            EVP_PKEY_free(key)
            throw Problem("no certificate could be made")
        }
        self.key = key
        self.certificate = certificate
        X509_set_version(certificate, 2)
        // Positive, and not all zeros (RFC 5280, 4.1.2.2).
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...UInt64(Int64.max)))
        X509_gmtime_adj(X509_getm_notBefore(certificate), -Self.daySeconds)
        X509_gmtime_adj(X509_getm_notAfter(certificate), Self.validSeconds)
        X509_set_pubkey(certificate, key)
        let name = X509_get_subject_name(certificate)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, "EdgeAgent", -1, -1, 0)
        X509_set_issuer_name(certificate, name)
        guard X509_sign(certificate, key, EVP_sha256()) > 0 else { throw Problem("the certificate cannot be signed") }
    }

    /// One that was kept: a private key and a certificate, in this order, as `pem` gives them.
    package init(pem: [UInt8]) throws(Problem) {
        guard let file = BIO_new_mem_buf(pem, Int32(clamping: pem.count)) else { throw Problem("no memory") }
        defer { BIO_free(file) }
        guard let key = PEM_read_bio_PrivateKey(file, nil, nil, nil) else { throw Problem("no private key in it") }
        guard let certificate = PEM_read_bio_X509(file, nil, nil, nil) else {
            EVP_PKEY_free(key)
            throw Problem("no certificate in it")
        }
        self.key = key
        self.certificate = certificate
        guard X509_check_private_key(certificate, key) == 1 else { throw Problem("certificate and key do not fit") }
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    package var pem: [UInt8] {
        guard let file = BIO_new(BIO_s_mem()) else { return [] }
        defer { BIO_free(file) }
        PEM_write_bio_PrivateKey(file, key, nil, nil, 0, nil, nil)
        PEM_write_bio_X509(file, certificate)
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(file))
        let count = BIO_read(file, &bytes, Int32(clamping: bytes.count))
        return Array(bytes.prefix(max(Int(count), 0)))
    }

    package var fingerprint: CertificateFingerprint {
        Self.fingerprint(of: certificate, .sha256) ?? CertificateFingerprint(function: .sha256, bytes: [])
    }

    static func fingerprint(
        of certificate: OpaquePointer, _ function: CertificateFingerprint.Function
    ) -> CertificateFingerprint? {
        let digest =
            switch function {
            case .sha256: EVP_sha256()
            case .sha384: EVP_sha384()
            case .sha512: EVP_sha512()
            }
        var bytes = [UInt8](repeating: 0, count: function.byteCount)
        var count = UInt32(bytes.count)
        guard X509_digest(certificate, digest, &bytes, &count) == 1, count == bytes.count else { return nil }
        return CertificateFingerprint(function: function, bytes: bytes)
    }
}
