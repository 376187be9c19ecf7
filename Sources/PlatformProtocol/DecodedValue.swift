/// What was read from bytes, for people and tools. Prints as JSON, its keys in order.
package indirect enum DecodedValue: Sendable, Hashable {
    case integer(Int64)
    case text(String)
    case flag(Bool)
    case list([DecodedValue])
    case fields([Field])

    package struct Field: Sendable, Hashable {
        package let name: String
        package let value: DecodedValue

        package init(_ name: String, _ value: DecodedValue) {
            self.name = name
            self.value = value
        }
    }

    package static func number(_ value: some FixedWidthInteger) -> Self { .integer(Int64(clamping: value)) }

    package subscript(name: String) -> DecodedValue? {
        guard case .fields(let fields) = self else { return nil }
        return fields.first { $0.name == name }?.value
    }

    package var json: String {
        switch self {
        case .integer(let value): String(value)
        case .text(let text): Self.quoted(text)
        case .flag(let value): value ? "true" : "false"
        case .list(let values): "[" + values.map(\.json).joined(separator: ",") + "]"
        case .fields(let fields):
            "{" + fields.map { Self.quoted($0.name) + ":" + $0.value.json }.joined(separator: ",") + "}"
        }
    }

    /// `name value` pairs on one line.
    package var line: String {
        switch self {
        case .integer, .flag: json
        case .text(let text): text.isEmpty ? "“”" : text.contains(" ") ? "“\(text)”" : text
        case .list(let values): "[" + values.map(\.line).joined(separator: ", ") + "]"
        case .fields(let fields):
            fields.map { "\($0.name) \(Self.isGroup($0.value) ? "(\($0.value.line))" : $0.value.line)" }
                .joined(separator: " ")
        }
    }

    private static func isGroup(_ value: DecodedValue) -> Bool {
        if case .fields = value { true } else { false }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{00}"..."\u{1F}", "\u{7F}": quoted += "\\u" + hex(UInt16(scalar.value))
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
