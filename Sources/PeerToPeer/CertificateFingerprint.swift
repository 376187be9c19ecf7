/// The hash of a certificate, by which peers know each other (RFC 8122, 5).
package struct CertificateFingerprint: Sendable, Hashable {
    package enum Function: String, Sendable, Hashable, CaseIterable {
        case sha256 = "sha-256"
        case sha384 = "sha-384"
        case sha512 = "sha-512"

        var byteCount: Int {
            switch self {
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }
    }

    package let function: Function
    package let bytes: [UInt8]

    package init(function: Function, bytes: [UInt8]) {
        self.function = function
        self.bytes = bytes
    }

    /// Such as `sha-256 AB:CD:…`; nil where the function is not taken for safe, or the bytes are not as many.
    package init?(_ text: some StringProtocol) {
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, let function = Function(rawValue: words[0].lowercased()) else { return nil }
        let digits = words[1].split(separator: ":", omittingEmptySubsequences: false)
        guard digits.count == function.byteCount else { return nil }
        let bytes = digits.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
        guard bytes.count == function.byteCount else { return nil }
        self.init(function: function, bytes: bytes)
    }

    package var text: String {
        let digits = bytes.map { byte in
            let text = String(byte, radix: 16, uppercase: true)
            return byte < 16 ? "0" + text : text
        }
        return "\(function.rawValue) \(digits.joined(separator: ":"))"
    }

    /// In a time that does not tell where they differ.
    package func matches(_ other: CertificateFingerprint) -> Bool {
        guard function == other.function, bytes.count == other.bytes.count else { return false }
        var difference: UInt8 = 0
        for (own, others) in zip(bytes, other.bytes) { difference |= own ^ others }
        return difference == 0
    }
}
