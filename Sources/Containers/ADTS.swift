import Media

/// The header that makes an AAC frame readable by itself (ISO/IEC 13818-7, 6.2): no check sum, one frame.
package enum ADTS {
    package static let headerLength = 7
    /// The length field has thirteen bits.
    package static let maximumFrame = 8191 - headerLength

    /// Nil for a rate without an index, or a frame that is too long.
    package static func header(_ config: AudioSpecificConfig, frameBytes: Int) -> [UInt8]? {
        guard let index = AudioSpecificConfig.rates.firstIndex(of: config.rate), frameBytes <= maximumFrame else {
            return nil
        }
        let length = headerLength + frameBytes
        // AAC-LC; a buffer fullness of all ones stands for a variable rate.
        return [
            0xFF, 0xF1, UInt8(1 << 6 | index << 2 | config.channels >> 2),
            UInt8((config.channels & 3) << 6 | length >> 11), UInt8(length >> 3 & 0xFF),
            UInt8((length & 7) << 5 | 0x1F),
            0xFC,
        ]
    }
}
