/// The body of `PUT /api/v1/channels/ID/recording`: record a stream from now on, whatever its mode.
package struct RecordOrder: Codable, Sendable, Hashable {
    package var stream: CodeStream
    /// Ends by itself after so long; nil for not before it is told to.
    package var seconds: Int?

    /// An order lasts a year at most.
    package static let maximumSeconds = 31_536_000

    package init(stream: CodeStream = .main, seconds: Int? = nil) {
        self.stream = stream
        self.seconds = seconds
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        stream = try values.decodeIfPresent(CodeStream.self, forKey: .stream) ?? .main
        seconds = try values.decodeIfPresent(Int.self, forKey: .seconds)
        if let seconds, !(1...Self.maximumSeconds).contains(seconds) {
            throw DecodingError.dataCorruptedError(
                forKey: .seconds, in: values, debugDescription: "must be from 1 to \(Self.maximumSeconds)")
        }
    }
}

/// Whether a stream is recorded on command.
package struct RecordCommandReport: Codable, Sendable, Hashable {
    package var channel: Int
    package var stream: CodeStream
    package var isCommanded: Bool
    /// Milliseconds since 1970, UTC; nil for no end.
    package var until: Int64?

    package init(channel: Int, stream: CodeStream, isCommanded: Bool, until: Int64? = nil) {
        self.channel = channel
        self.stream = stream
        self.isCommanded = isCommanded
        self.until = until
    }
}
