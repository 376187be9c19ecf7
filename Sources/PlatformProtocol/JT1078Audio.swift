/// How a stream's sound goes to a platform.
package enum JT1078Audio: String, Sendable, Hashable, CaseIterable {
    /// AAC-LC as the stream has it, each frame with an ADTS header.
    case aac
    /// G.711 A-law, 8 kHz, mono.
    case g711a

    /// In media packets and attributes.
    package var payloadType: UInt8 { self == .aac ? JT1078Header.Codec.aac : JT1078Header.Codec.g711A }
}
