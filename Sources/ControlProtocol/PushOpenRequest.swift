/// The body of `POST /api/v1/pushes`. Everything has a default; an unknown key is refused, since a misspelt one would
/// quietly do something else.
package struct PushOpenRequest: Codable, Sendable, Hashable {
    package var channel: Int
    package var codeStream: CodeStream
    package var dataType: DataType
    /// Nil for the configured default.
    package var target: String?
    /// True: answer at once and try for ever. False: answer when the service took the stream, or why it did not.
    package var async: Bool
    /// Milliseconds of the first frame's time stamp; to try how a service takes large ones.
    package var startTimestamp: UInt32?

    package init(
        channel: Int = 0, codeStream: CodeStream = .main, dataType: DataType = .av, target: String? = nil,
        async: Bool = false, startTimestamp: UInt32? = nil
    ) {
        self.channel = channel
        self.codeStream = codeStream
        self.dataType = dataType
        self.target = target
        self.async = async
        self.startTimestamp = startTimestamp
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case channel, codeStream, dataType, target, async, startTimestamp
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    package init(from decoder: any Decoder) throws {
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys
        where CodingKeys(rawValue: key.stringValue) == nil {
            let known = CodingKeys.allCases.map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "unknown key \"\(key.stringValue)\"; known are \(known)"))
        }
        let values = try decoder.container(keyedBy: CodingKeys.self)
        // Read as Double first: a fraction or an overflow would otherwise be reported without its key.
        func whole(_ key: CodingKeys, upTo limit: UInt32) throws -> UInt32? {
            guard let value = try values.decodeIfPresent(Double.self, forKey: key) else { return nil }
            guard let number = UInt32(exactly: value), number <= limit else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: values, debugDescription: "must be a whole number from 0 to \(limit)")
            }
            return number
        }
        channel = Int(try whole(.channel, upTo: UInt32(Int32.max)) ?? 0)
        codeStream = try values.decodeIfPresent(CodeStream.self, forKey: .codeStream) ?? .main
        dataType = try values.decodeIfPresent(DataType.self, forKey: .dataType) ?? .av
        target = try values.decodeIfPresent(String.self, forKey: .target)
        async = try values.decodeIfPresent(Bool.self, forKey: .async) ?? false
        startTimestamp = try whole(.startTimestamp, upTo: .max)
    }
}
