/// Why an encoder or a decoder cannot be opened or does not do its work.
package enum CodecError: Error, Sendable, CustomStringConvertible {
    /// The settings make no sense to the encoder.
    case unusableSettings(codec: String, detail: String)
    /// The encoder failed on a picture or on sound.
    case encodingFailed(codec: String, code: Int)
    /// The decoder cannot make sense of what it was given.
    case decodingFailed(codec: String, reason: String)

    package var description: String {
        switch self {
        case .unusableSettings(let codec, let detail): "\(codec) refuses the settings: \(detail)"
        case .encodingFailed(let codec, let code): "\(codec) failed to encode (code \(code))"
        case .decodingFailed(let codec, let reason): "\(codec) cannot be decoded: \(reason)"
        }
    }
}
