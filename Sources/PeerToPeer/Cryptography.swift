import CDelayedLibraries
import COpenSSL
import Synchronization

/// What hashes and signs. Its library costs much less than all that links need, so it is opened by itself.
package enum Cryptography {
    private static let opened = Atomic(false)

    package static var isOpen: Bool { opened.load(ordering: .acquiring) }

    /// Before anything else here. May take some milliseconds; not for an event loop.
    /// - Returns: nil, or why the library cannot be had.
    package static func open() -> String? {
        if let reason = cdelayed_open_cryptography() {
            return "tickets and relays need OpenSSL (Debian: libssl3): \(String(cString: reason))"
        }
        opened.store(true, ordering: .releasing)
        return nil
    }

    /// RFC 2104; empty where there is no memory, which no code is.
    static func hmac(_ digest: OpaquePointer?, of message: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count = UInt32(code.count)
        guard HMAC(digest, key, Int32(clamping: key.count), message, message.count, &code, &count) != nil else {
            return []
        }
        return Array(code.prefix(Int(count)))
    }

    /// Of whoever has a user and a password (RFC 8489, 9.2.2).
    package static func longTermKey(user: String, realm: String, password: String) -> [UInt8] {
        md5(of: Array("\(user):\(realm):\(password)".utf8))
    }

    static func hmacSHA1(of message: [UInt8], key: [UInt8]) -> [UInt8] { hmac(EVP_sha1(), of: message, key: key) }

    static func md5(of message: [UInt8]) -> [UInt8] {
        var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_Digest(message, message.count, &hash, &count, EVP_md5(), nil) == 1 else { return [] }
        return Array(hash.prefix(Int(count)))
    }
}
