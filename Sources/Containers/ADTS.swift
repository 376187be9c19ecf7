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

    /// The frame that begins there, with or without a check sum. Nil for anything that is no AAC-LC frame, or not whole.
    package static func parse(
        _ bytes: some Collection<UInt8>
    ) -> (config: AudioSpecificConfig, data: ArraySlice<UInt8>)? {
        let bytes = Array(bytes)
        guard bytes.count > headerLength, bytes[0] == 0xFF, bytes[1] & 0xF6 == 0xF0, bytes[2] >> 6 == 1 else {
            return nil
        }
        let index = Int(bytes[2] >> 2 & 15)
        let channels = Int(bytes[2] & 1) << 2 | Int(bytes[3] >> 6)
        let length = Int(bytes[3] & 3) << 11 | Int(bytes[4]) << 3 | Int(bytes[5] >> 5)
        let start = headerLength + (bytes[1] & 1 == 0 ? 2 : 0)
        guard index < AudioSpecificConfig.rates.count, length <= bytes.count, length > start,
            let config = AudioSpecificConfig(rate: AudioSpecificConfig.rates[index], channels: channels)
        else { return nil }
        return (config, bytes[start..<length])
    }
}
