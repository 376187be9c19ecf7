/// The JSON text that answers a command, its keys in the order of the specification's examples.
package struct CommandReply: Sendable, Hashable {
    package let text: String

    private init(text: String) { self.text = text }

    package init(_ value: JSONValue) { text = value.text }

    package static let accepted = status("0")
    package static let refused = status("1")
    /// Something in the request is wrong.
    package static let wrongRequest = status("404")
    package static let unsupported = status("406")
    /// The device could not do it.
    package static let deviceError = status("407")

    private static func status(_ code: String) -> CommandReply { CommandReply(["status": .text(code)]) }
}

/// JSON (RFC 8259), written only. Viewers care whether a number stands in quotes, so nothing is converted here.
package enum JSONValue: Sendable, Hashable, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
    case text(String)
    case number(Int64)
    case list([JSONValue])
    case object([Member])

    package struct Member: Sendable, Hashable {
        let key: String
        let value: JSONValue
    }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member(key: $0.0, value: $0.1) })
    }

    package init(arrayLiteral elements: JSONValue...) { self = .list(elements) }

    /// A number in quotes.
    package static func quoted(_ number: some BinaryInteger) -> JSONValue { .text(String(number)) }

    package var text: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .text(let value): Self.write(value, to: &text)
        case .number(let value): text += String(value)
        case .list(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                value.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                Self.write(member.key, to: &text)
                text += ":"
                member.value.write(to: &text)
            }
            text += "}"
        }
    }

    private static func write(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case ..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
