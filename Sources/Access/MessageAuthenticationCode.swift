/// HMAC-SHA256 (RFC 2104).
package enum MessageAuthenticationCode {
    package static func make(of message: [UInt8], key: [UInt8]) -> [UInt8] {
        let short = key.count > SHA256.blockBytes ? SHA256.hash(key) : key
        let padded = short + [UInt8](repeating: 0, count: SHA256.blockBytes - short.count)
        let inner = SHA256.hash(padded.map { $0 ^ 0x36 } + message)
        return SHA256.hash(padded.map { $0 ^ 0x5C } + inner)
    }
}

/// Comparisons in a time that does not tell where two texts differ.
package enum ConstantTime {
    package static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count, !a.isEmpty else { return false }
        return zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
