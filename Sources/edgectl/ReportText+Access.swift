import ControlProtocol

extension ReportText {
    package static func access(_ access: AccessReport) -> String {
        var lines = entrance(access.entrance)
        if access.hasUnseen { lines.append("Nobody has seen the first tokens yet: edgectl access show") }
        var table = TextTable([
            ("TOKEN", .left), ("RIGHTS", .left), ("CHANNEL", .left), ("MADE", .left), ("ENDS", .left),
            ("LAST USED", .left),
        ])
        for token in access.tokens {
            table.add([
                token.name, token.rights.joined(separator: ","), token.channel.map { "\($0)" } ?? "all",
                date(token.made), token.expires.map(date) ?? "never", token.lastUsed.map(date) ?? "never",
            ])
        }
        lines.append(access.tokens.isEmpty ? "No tokens" : table.text)
        return lines.joined(separator: "\n")
    }

    /// What there is to write down.
    package static func newTokens(_ tokens: [NewTokenReport], _ entrance: EntranceReport) -> String {
        guard !tokens.isEmpty else { return "They have been shown already; edgectl access reset makes new ones" }
        var table = TextTable([("", .left), ("", .left)])
        for token in tokens { table.add([token.name, token.token]) }
        return (Self.entrance(entrance) + [table.text]).joined(separator: "\n")
    }

    package static func operations(_ operations: [OperationReport]) -> String {
        var table = TextTable([("OPERATION", .left), ("RIGHT", .left)])
        for operation in operations { table.add([operation.operation, operation.right]) }
        return table.text
    }

    static func entrance(_ entrance: EntranceReport) -> [String] {
        var lines = ["Page: \(entrance.addresses.joined(separator: " "))"]
        if let fingerprint = entrance.fingerprint { lines.append("Certificate (SHA-256): \(fingerprint)") }
        if let end = entrance.validUntil { lines.append("It ends on \(date(end))") }
        if let problem = entrance.problem { lines.append("The new certificate is not in use: \(problem)") }
        if entrance.isOpen {
            lines.append(
                entrance.isLoopback
                    ? "Programs of this machine need no token"
                    : "WARNING: whoever reaches this address needs no token; see access.open")
        }
        return lines
    }

    private static func date(_ seconds: Int64) -> String { LocalTime.text(milliseconds: seconds * 1000) }
}
