/// Adobe's way to log a publisher in: two refused connections that ask for a name and give a challenge, a third one
/// that answers it. Each connection is new; what it must say is in the query behind the application.
package struct RTMPAuthentication: Sendable, Hashable {
    package enum Step: Sendable, Hashable {
        /// The next connection carries this query.
        case connectAgain(RTMPAuthentication)
        case refused(String)
    }

    private enum Stage: Hashable {
        case unasked, named, answered
    }

    private let stage: Stage
    /// Behind the application and `tcUrl`, with its question mark; empty on the first connection.
    package let query: String

    /// The first connection: says nothing.
    package init() {
        stage = .unasked
        query = ""
    }

    private init(stage: Stage, query: String) {
        self.stage = stage
        self.query = query
    }

    /// What to do about the description of a refused connect; nil where it does not speak of logging in.
    package func next(
        description: String, user: String?, password: String?, clientChallenge: @autoclosure () -> String
    ) -> Step? {
        guard let mode = Self.value(of: "authmod", in: description) else { return nil }
        guard mode == "adobe" else {
            return .refused("the service asks for a log-in of kind “\(mode.prefix(32))”, only “adobe” is known")
        }
        guard let user, let password, !user.isEmpty else {
            return .refused("the service asks for user and password: rtmp://user:password@host/app/key")
        }
        let base = "?authmod=adobe&user=\(user)"
        switch Self.value(of: "reason", in: description) {
        case "needauth":
            guard stage == .named else { return .refused("the service asks for the log-in again") }
            let salt = Self.value(of: "salt", in: description) ?? ""
            let challenge = Self.value(of: "challenge", in: description) ?? ""
            let opaque = Self.value(of: "opaque", in: description)
            let client = clientChallenge()
            let secret = Base64.encode(MD5.digest(Array("\(user)\(salt)\(password)".utf8)))
            let response = Base64.encode(MD5.digest(Array("\(secret)\(opaque ?? challenge)\(client)".utf8)))
            let query = "\(base)&challenge=\(client)&response=\(response)" + (opaque.map { "&opaque=\($0)" } ?? "")
            return .connectAgain(RTMPAuthentication(stage: .answered, query: query))
        case "authfailed", "nosuchuser":
            return .refused("the service does not accept this user and password")
        case let reason?:
            return .refused("the service refuses the log-in: \(reason.prefix(64))")
        case nil:
            guard stage == .unasked else { return .refused("the service asks for the log-in again") }
            return .connectAgain(RTMPAuthentication(stage: .named, query: base))
        }
    }

    /// The value behind `name=`, up to the next `&`, space or bracket. Values may hold `=` themselves.
    private static func value(of name: String, in description: String) -> String? {
        for part in description.split(whereSeparator: { "&? ;[]".contains($0) }) where part.hasPrefix("\(name)=") {
            return String(part.dropFirst(name.count + 1))
        }
        return nil
    }
}
