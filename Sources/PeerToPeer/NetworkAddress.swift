import Glibc

/// An IP address and a port.
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
    /// Of the address, in network order: 4 or 16.
    package let bytes: [UInt8]
    package let port: UInt16

    /// Nil where it is neither IPv4 nor IPv6.
    package init?(bytes: [UInt8], port: UInt16) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
        self.port = port
    }

    /// Nil where the text is no address.
    package init?(_ text: String, port: UInt16) {
        var (four, six) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            bytes = withUnsafeBytes(of: &six) { Array($0) }
        } else {
            return nil
        }
        self.port = port
    }

    package var isIPv6: Bool { bytes.count == 16 }

    /// Whether it belongs to a network that the internet does not reach (RFC 1918, 3; RFC 4193, 3.1), to a single link or to
    /// this machine.
    package var isLocal: Bool {
        if isIPv6 { return bytes[0] & 0xFE == 0xFC || (bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80) || host == "::1" }
        return switch (bytes[0], bytes[1]) {
        case (10, _), (127, _), (192, 168), (169, 254), (172, 16...31): true
        default: false
        }
    }

    /// The address alone, such as "192.0.2.1" or "2001:db8::1".
    package var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(isIPv6 ? AF_INET6 : AF_INET, bytes, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
