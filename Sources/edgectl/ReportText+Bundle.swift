extension ReportText {
    package static func bundle(file: String, bytes: Int, entries: Int, missing: [String]) -> String {
        var text = "Packed \(Units.count(entries, "file")) into \(file), \(Units.bytes(bytes))"
        if !missing.isEmpty { text += "\nNot to be had: \(missing.joined(separator: ", "))" }
        return text
            + "\nIt holds no passwords and keys, but pictures and addresses: look through it before you give it away"
    }
}
