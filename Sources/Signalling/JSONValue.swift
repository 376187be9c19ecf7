/// JSON (RFC 8259). Viewers care whether a number stands in quotes, so nothing is converted here; members keep their
/// order. `JSONReader` reads it.
package enum JSONValue: Sendable, Hashable, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
    case null
    case bool(Bool)
    case text(String)
    case number(Int64)
    /// A number that is no `Int64`, as it was written.
    case decimal(String)
    case list([JSONValue])
    case object([Member])

    package struct Member: Sendable, Hashable {
        package let key: String
        package let value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member(key: $0.0, value: $0.1) })
    }

    package init(arrayLiteral elements: JSONValue...) { self = .list(elements) }

    /// A number in quotes.
    package static func quoted(_ number: some BinaryInteger) -> JSONValue { .text(String(number)) }

    // MARK: Looking inside

    /// An object's member; the first where there are several of this name.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// A text, or a number or truth value in words: viewers differ in what they put in quotes.
    package var word: String? {
        switch self {
        case .text(let text): text
        case .number(let number): String(number)
        case .decimal(let digits): digits
        case .bool(let value): value ? "true" : "false"
        case .null, .list, .object: nil
        }
    }

    /// A number, also one in quotes.
    package var double: Double? {
        switch self {
        case .number(let number): Double(number)
        case .decimal(let text), .text(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
        case .null, .bool, .list, .object: nil
        }
    }

    /// A whole number, also one in quotes.
    package var integer: Int? { double.flatMap { Int(exactly: $0) } }

    // MARK: Writing

    /// On one line.
    package var text: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .text(let value): Self.write(value, to: &text)
        case .number(let value): text += String(value)
        case .decimal(let digits): text += digits
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
