import NIOCore

/// Which web sites' pages may use this server (Fetch standard, "CORS protocol").
package struct CrossOriginPolicy: Sendable {
    let allowsAll: Bool
    private let allowed: Set<String>
    /// Of the allowed origins, and of this machine.
    private let names: Set<String>

    /// - Parameters:
    ///   - origins: such as "https://example.org"; "*" means all.
    ///   - machine: what this machine is called.
    package init(origins: [String], machine: String = "") {
        allowsAll = origins.contains("*")
        allowed = Set(origins.map { $0.lowercased() })
        names = Set(
            allowed.map { Self.name(ofHost: $0.split(separator: "/").last.map(String.init) ?? "") } + [
                machine.lowercased()
            ])
    }

    /// Whether a name can be this device's own, as far as no stranger can have one like it point here: an address, one
    /// that no name server of the Internet gives out, or one that was configured.
    package func isOwnName(_ host: String?) -> Bool {
        guard let host, !host.isEmpty, !allowsAll else { return true }
        let name = Self.name(ofHost: host.lowercased())
        if name.hasPrefix("[") || !name.contains(".") || names.contains(name) { return true }
        if (try? SocketAddress(ipAddress: name, port: 0)) != nil { return true }
        return [".local", ".localhost", ".home.arpa", ".internal", ".lan"].contains { name.hasSuffix($0) }
    }

    /// Without the port.
    private static func name(ofHost host: String) -> String {
        if host.hasPrefix("[") { return host }
        return String(host.prefix { $0 != ":" })
    }

    /// Programs that are no browsers name no origin; a browser's page from this server names its own host.
    package func permits(origin: String?, host: String?) -> Bool {
        guard let origin = origin?.lowercased(), !allowsAll else { return true }
        return allowed.contains(origin) || isSame(origin, host)
    }

    private func isSame(_ origin: String, _ host: String?) -> Bool {
        guard let host = host?.lowercased(), !host.isEmpty else { return false }
        return origin == "http://\(host)" || origin == "https://\(host)"
    }

    /// Header fields for every response, refusals included: without them a page could not even read why. An address with a
    /// ticket in it is told to nobody else, and nothing is taken for what it does not say it is.
    package func headers(origin: String?, host: String?) -> [(name: String, value: String)] {
        var fields = [(name: "X-Content-Type-Options", value: "nosniff"), ("Referrer-Policy", "no-referrer")]
        if allowsAll {
            fields.append(("Access-Control-Allow-Origin", "*"))
        } else {
            fields.append(("Vary", "Origin"))
            if let origin, permits(origin: origin, host: host) {
                fields.append(("Access-Control-Allow-Origin", origin))
            }
        }
        fields.append(("Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"))
        fields.append(("Access-Control-Allow-Headers", "Range, Authorization, Content-Type, Cache-Control, X-Visitor"))
        fields.append(("Access-Control-Expose-Headers", "Content-Length, Content-Range, ETag, Location"))
        return fields
    }

    /// The answer to OPTIONS.
    package func preflight(_ request: HTTPRequest) -> HTTPAnswer {
        var answer = HTTPAnswer(status: 204, headers: [("Access-Control-Max-Age", "600")])
        if request.head.headers.contains(name: "Access-Control-Request-Private-Network"),
            permits(origin: request.origin, host: request.host)
        {
            answer.headers.append(("Access-Control-Allow-Private-Network", "true"))
        }
        return answer
    }
}
