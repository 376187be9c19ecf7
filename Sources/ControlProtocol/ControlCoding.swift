import FoundationEssentials

/// JSON as the control API writes and reads it.
package enum ControlCoding {
    /// Keys are sorted, so the same report is always the same text.
    package static func encode(_ value: some Encodable, pretty: Bool = false) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        // JSON has no word for these; a rate nobody could measure is not worth losing the report for.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        guard let data = try? encoder.encode(value) else { return Array("null".utf8) }
        return Array(data)
    }

    package static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: some Collection<UInt8>
    ) throws(ControlCodingError) -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do {
            return try decoder.decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw ControlCodingError(error)
        } catch {
            throw ControlCodingError(message: "\(error)")
        }
    }
}

/// What is wrong with a JSON text, in words for the one who sent it.
package struct ControlCodingError: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String

    package init(message: String) { self.message = message }

    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            message = "\"\(Self.path(context.codingPath + [key]))\" is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            message = Self.sentence(context)
        @unknown default:
            message = "not what was expected"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += text.isEmpty ? key.stringValue : "." + key.stringValue
            }
        }
    }

    private static func sentence(_ context: DecodingError.Context) -> String {
        context.codingPath.isEmpty
            ? context.debugDescription : "\"\(path(context.codingPath))\": \(context.debugDescription)"
    }

    package var description: String { message }
}
