/// The AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1): parameter sets as FLV and MP4 carry them.
package enum AVCDecoderConfiguration {
    /// Nil where the sequence parameter set cannot be read.
    package static func bytes(for format: VideoFormat) -> [UInt8]? {
        guard let sps = SequenceParameterSet(nal: format.sps), format.sps.count < 65536, format.pps.count < 65536
        else { return nil }
        var record: [UInt8] = [1, sps.profile, sps.compatibility, sps.level, 0xFC | 3, 0xE0 | 1]
        record += [UInt8(format.sps.count >> 8), UInt8(format.sps.count & 255)] + format.sps
        record += [1, UInt8(format.pps.count >> 8), UInt8(format.pps.count & 255)] + format.pps
        if [100, 110, 122, 144].contains(sps.profile) {
            record += [0xFC | sps.chromaFormat, 0xF8 | sps.lumaDepth, 0xF8 | sps.chromaDepth, 0]
        }
        return record
    }

    /// The first sequence and picture parameter set of a record. Nil where it breaks off or NAL lengths are not four
    /// bytes.
    package static func parameterSets(in record: [UInt8]) -> (sps: [UInt8], pps: [UInt8])? {
        guard record.count >= 7, record[0] == 1, record[4] & 3 == 3 else { return nil }
        var index = 5
        guard let sps = readSets(mask: 0x1F), let pps = readSets(mask: 0xFF) else { return nil }
        return (sps, pps)

        func readSets(mask: UInt8) -> [UInt8]? {
            guard index < record.count else { return nil }
            let count = Int(record[index] & mask)
            index += 1
            var first: [UInt8]?
            for _ in 0..<count {
                guard index + 2 <= record.count else { return nil }
                let length = Int(record[index]) << 8 | Int(record[index + 1])
                index += 2
                guard index + length <= record.count else { return nil }
                if first == nil { first = Array(record[index..<index + length]) }
                index += length
            }
            return first
        }
    }
}
