/// Who may come in, as it outlives the agent. As a text: a line that names the format, one for each thing, and a sum of
/// all before it, since a file that is half right would let in the wrong ones.
package struct AccessMemory: Sendable, Hashable {
    /// A long-lived token, of which only the digest is known.
    package struct Entry: Sendable, Hashable {
        package var name: String
        package var digest: [UInt8]
        package var grant: Grant
        /// Seconds since 1970.
        package var made: Int64
        /// Nil for never.
        package var expires: Int64?
        /// Nil for not yet.
        package var lastUsed: Int64?

        package init(
            name: String, digest: [UInt8], grant: Grant, made: Int64, expires: Int64? = nil, lastUsed: Int64? = nil
        ) {
            self.name = name
            self.digest = digest
            self.grant = grant
            self.made = made
            self.expires = expires
            self.lastUsed = lastUsed
        }

        /// Tells it from a later one of the same name, for what was made with it.
        package var mark: String { "\(name)@\(made)" }

        package func isGood(at time: Int64) -> Bool { expires.map { time < $0 } ?? true }
    }

    /// A token that nobody has been shown yet.
    package struct Unseen: Sendable, Hashable {
        package var name: String
        package var token: AccessToken

        package init(name: String, token: AccessToken) {
            self.name = name
            self.token = token
        }
    }

    package static let formatLine = "edge-agent access 1"
    /// Longer texts are not ours.
    package static let maximumBytes = 64 << 10
    package static let maximumEntries = 64
    package static let maximumNameBytes = 32

    /// What addresses and tickets are signed with.
    package var key: [UInt8]
    package var entries: [Entry] = []
    package var unseen: [Unseen] = []

    package init(key: [UInt8]) { self.key = key }

    /// Nil where anything of it is not as it was written.
    package init?(text: String) {
        guard text.utf8.count <= Self.maximumBytes, let end = text.range(ofLast: "sum ") else { return nil }
        let body = text[..<end]
        let sum = Hex.decode(text[end...].dropFirst(4).split(separator: "\n").first ?? "")
        guard let sum, ConstantTime.areEqual(sum, SHA256.hash(Array(body.utf8))) else { return nil }
        var lines = body.split(separator: "\n")[...]
        guard lines.popFirst() == Self.formatLine[...], let first = lines.popFirst(), first.hasPrefix("key "),
            let key = Hex.decode(first.dropFirst(4)), key.count == SHA256.byteCount
        else { return nil }
        self.key = key
        for line in lines {
            let words = line.split(separator: " ")
            switch (words.first, words.count) {
            case ("token", 8):
                guard let entry = Entry(words) else { return nil }
                entries.append(entry)
            case ("unseen", 3):
                guard let token = AccessToken(words[2]) else { return nil }
                unseen.append(Unseen(name: String(words[1]), token: token))
            default: return nil
            }
        }
        guard entries.count <= Self.maximumEntries else { return nil }
    }

    package var text: String {
        var lines = [Self.formatLine, "key \(Hex.encode(key))"]
        lines += entries.map(\.line)
        lines += unseen.map { "unseen \($0.name) \($0.token.text)" }
        let body = lines.joined(separator: "\n") + "\n"
        return body + "sum \(Hex.encode(SHA256.hash(Array(body.utf8))))\n"
    }

    /// Names stand in lines of words.
    package static func isName(_ text: String) -> Bool {
        (1...maximumNameBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}

extension AccessMemory.Entry {
    fileprivate init?(_ words: [Substring]) {
        guard let digest = Hex.decode(words[2]), digest.count == SHA256.byteCount, let made = Int64(words[5]) else {
            return nil
        }
        // Rights that only later versions know are none here.
        let rights = Set(words[3].split(separator: ",").compactMap { Right(rawValue: String($0)) })
        // A grant for one channel must never become one for all.
        guard words[4] == "-" || Int(words[4]) != nil else { return nil }
        guard words[6] == "-" || Int64(words[6]) != nil else { return nil }
        self.init(
            name: String(words[1]), digest: digest, grant: Grant(rights: rights, channel: Int(words[4])), made: made,
            expires: Int64(words[6]), lastUsed: Int64(words[7]))
    }

    fileprivate var line: String {
        let rights = grant.rights.map(\.rawValue).sorted().joined(separator: ",")
        let words = [
            "token", name, Hex.encode(digest), rights.isEmpty ? "none" : rights, grant.channel.map(String.init) ?? "-",
            String(made), expires.map(String.init) ?? "-", lastUsed.map(String.init) ?? "-",
        ]
        return words.joined(separator: " ")
    }
}

extension String {
    /// Where a line begins with `text` for the last time.
    fileprivate func range(ofLast text: String) -> Index? {
        var found: Index?
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { found = start }
            guard let end = self[start...].firstIndex(of: "\n") else { break }
            start = index(after: end)
        }
        return found
    }
}
