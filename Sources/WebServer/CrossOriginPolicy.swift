/// Which web sites' pages may use this server (Fetch standard, "CORS protocol").
package struct CrossOriginPolicy: Sendable {
    private let allowsAll: Bool
    private let allowed: Set<String>

    /// - Parameter origins: such as "https://example.org"; "*" means all.
    package init(origins: [String]) {
        allowsAll = origins.contains("*")
        allowed = Set(origins.map { $0.lowercased() })
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

    /// Header fields for every response, refusals included: without them a page could not even read why.
    package func headers(origin: String?, host: String?) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
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
