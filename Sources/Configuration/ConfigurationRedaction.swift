/// A configuration's text as it may be shown to others: with its mistakes and comments, without its secrets.
package enum ConfigurationRedaction {
    /// What stands in a secret's place.
    package static let mark = "[removed]"

    /// Keys whose values are secrets, in lower case; also those that end so.
    static let secretKeys = ["password", "ticketkey", "token", "secret", "passphrase"]
    /// Shorter values are found too often by chance to be taken out wherever they stand.
    static let shortestValue = 4

    /// Works on texts that are no YAML, too; there it goes by the lines alone.
    package static func redacted(_ text: String) -> String {
        var lines: [String] = []
        // Of a secret that goes on in the lines below, the indentation of its key.
        var inside: Int?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let indentation = line.prefix { $0 == " " }.count
            if let limit = inside {
                if indentation > limit || line.allSatisfy({ $0 == " " }) { continue }
                inside = nil
            }
            let (shown, isOpen) = redactedLine(line)
            if isOpen { inside = indentation }
            lines.append(shown)
        }
        return values(in: text).reduce(lines.joined(separator: "\n")) { $0.replacing($1, with: mark) }
    }

    // MARK: Line by line

    /// - Returns: `isOpen` where the value goes on below.
    private static func redactedLine(_ line: Substring) -> (String, isOpen: Bool) {
        var out = ""
        var rest = line
        while let colon = rest.firstIndex(of: ":") {
            let key = word(before: colon, in: rest)
            out += rest[...colon]
            rest = rest[rest.index(after: colon)...]
            if isSecret(key), rest.first.map({ $0 == " " }) ?? true {
                let (value, behind) = splitValue(rest)
                let trimmed = value.filter { $0 != " " }
                if ["|", ">"].contains(trimmed.first.map(String.init) ?? "") || trimmed.isEmpty {
                    return (out + " " + mark + behind, true)
                }
                out += trimmed == "null" || trimmed == "~" ? String(value) : " " + mark
                rest = behind
            } else if rest.hasPrefix("//") {
                let (address, behind) = splitAddress(rest)
                out += redactedAddress(address)
                rest = behind
            }
        }
        return (out + rest, false)
    }

    private static func isSecret(_ key: String) -> Bool {
        let key = key.lowercased()
        return secretKeys.contains { key.hasSuffix($0) }
    }

    private static func word(before end: Substring.Index, in text: Substring) -> String {
        String(
            text[..<end].reversed().drop { $0 == "\"" || $0 == "'" }.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                .reversed())
    }

    /// A value on its line, in quotes, in a group of braces, or with a comment behind it.
    private static func splitValue(_ text: Substring) -> (Substring, Substring) {
        let start = text.drop { $0 == " " }
        if let quote = start.first, quote == "\"" || quote == "'" {
            let inside = start.dropFirst()
            guard let end = inside.firstIndex(of: quote) else { return (text, "") }
            let behind = inside[inside.index(after: end)...]
            return (text[..<behind.startIndex], behind)
        }
        var previous: Character = " "
        var index = start.startIndex
        while index < start.endIndex {
            let character = start[index]
            if character == "," || character == "}" || (character == "#" && previous == " ") { break }
            previous = character
            index = start.index(after: index)
        }
        return (text[..<index], text[index...])
    }

    // MARK: Addresses

    private static func splitAddress(_ text: Substring) -> (Substring, Substring) {
        let end = text.firstIndex { $0 == " " || $0 == "\"" || $0 == "'" || $0 == "," || $0 == "}" } ?? text.endIndex
        return (text[..<end], text[end...])
    }

    /// Host and port stay, and the first part of the path; user, password, stream keys and queries go.
    private static func redactedAddress(_ address: Substring) -> String {
        let parts = address.dropFirst(2).split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard let authority = parts.first else { return String(address) }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        var out = "//" + (host.count < authority.count ? mark + "@" : "") + host.prefix { $0 != "?" }
        if parts.count > 1 { out += "/" + parts[1].prefix { $0 != "?" } }
        if parts.count > 2 || address.contains("?") { out += "/" + mark }
        return out
    }

    // MARK: By value

    /// The secrets that the text holds, where it can be read as YAML; the longest first.
    private static func values(in text: String) -> [String] {
        guard let root = try? YAMLParser.parse(Array(text.utf8)) else { return [] }
        var found: Set<String> = []
        collect(root, isSecret: false, &found)
        return found.filter { $0.count >= shortestValue }.sorted { $0.count > $1.count }
    }

    private static func collect(_ node: YAMLNode, isSecret: Bool, _ found: inout Set<String>) {
        switch node.content {
        case .scalar(let text, _):
            if isSecret, !node.isNull { found.insert(text) }
        case .sequence(let items): for item in items { collect(item, isSecret: isSecret, &found) }
        case .mapping(let entries):
            for entry in entries {
                let key = if case .scalar(let name, _) = entry.key.content { name } else { "" }
                collect(entry.value, isSecret: isSecret || Self.isSecret(key), &found)
            }
        }
    }
}
