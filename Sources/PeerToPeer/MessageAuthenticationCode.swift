import COpenSSL

/// HMAC-SHA256 (RFC 2104). The libraries must be open.
package enum MessageAuthenticationCode {
    package static func make(of message: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        var count = UInt32(code.count)
        guard HMAC(EVP_sha256(), key, Int32(clamping: key.count), message, message.count, &code, &count) != nil else {
            // No code fits an empty one.
            return []
        }
        return code
    }
}
