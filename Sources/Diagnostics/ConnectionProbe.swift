import Glibc

/// Tries to connect to a service, as the agent would.
package struct ConnectionProbe: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
        /// - Parameters:
        ///   - milliseconds: from asking to the connection.
        ///   - maximumPacket: the largest packet that gets there, in bytes, as far as the kernel knows.
        case connected(milliseconds: Int, maximumPacket: Int?)
        /// What the name service says.
        case nameUnknown(String)
        /// What the system says of the last address that was tried.
        case refused(String)
        case silent
    }

    package var outcome: Outcome
    /// What the name stands for.
    package var addresses: [String]

    package init(outcome: Outcome, addresses: [String] = []) {
        self.outcome = outcome
        self.addresses = addresses
    }

    /// For all addresses together; the name service may take its own time.
    package static let patienceMilliseconds: Int32 = 3000
    /// More are not tried.
    private static let maximumAddresses = 4

    /// Blocks.
    package static func run(host: String, port: Int) -> ConnectionProbe {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, "\(port)", &hints, &list)
        guard code == 0, let first = list else {
            return ConnectionProbe(outcome: .nameUnknown(String(cString: gai_strerror(code))))
        }
        defer { freeaddrinfo(first) }
        var probe = ConnectionProbe(outcome: .silent)
        var next = list
        while let entry = next?.pointee, probe.addresses.count < maximumAddresses {
            next = entry.ai_next
            guard let address = entry.ai_addr else { continue }
            probe.addresses.append(SocketAddressText.host(address) ?? "?")
            probe.outcome = connect(address, entry.ai_addrlen, family: entry.ai_family)
            if case .connected = probe.outcome { return probe }
        }
        return probe
    }

    private static func connect(
        _ address: UnsafePointer<sockaddr>, _ length: socklen_t, family: Int32
    ) -> Outcome {
        let file = socket(
            family,
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard file >= 0 else { return .refused(String(cString: strerror(errno))) }
        defer { close(file) }
        let start = milliseconds()
        if Glibc.connect(file, address, length) != 0 {
            guard errno == EINPROGRESS else { return .refused(String(cString: strerror(errno))) }
            var entry = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
            guard poll(&entry, 1, patienceMilliseconds / Int32(maximumAddresses) * 2) > 0 else { return .silent }
        }
        let code = option(file, SOL_SOCKET, SO_ERROR) ?? 0
        guard code == 0 else { return .refused(String(cString: strerror(code))) }
        let packet =
            family == AF_INET6
            ? option(file, Int32(IPPROTO_IPV6), IPV6_MTU) : option(file, Int32(IPPROTO_IP), IP_MTU)
        return .connected(milliseconds: milliseconds() - start, maximumPacket: packet.map(Int.init))
    }

    private static func option(_ file: Int32, _ level: Int32, _ name: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(file, level, name, &value, &length) == 0 ? value : nil
    }

    private static func milliseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}

/// A socket's address in numbers.
enum SocketAddressText {
    /// Nil for other families than IPv4 and IPv6.
    static func host(_ address: UnsafePointer<sockaddr>) -> String? {
        let family = Int32(address.pointee.sa_family)
        let length: socklen_t
        switch family {
        case AF_INET: length = socklen_t(MemoryLayout<sockaddr_in>.size)
        case AF_INET6: length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        default: return nil
        }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else {
            return nil
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
