/// The parts of H.264 (ITU-T H.264) that a packager needs: NAL units and their kinds.
package enum H264 {
    /// nal_unit_type (table 7-1).
    package enum NALType {
        package static let slice: UInt8 = 1
        package static let idr: UInt8 = 5
        package static let sei: UInt8 = 6
        package static let sps: UInt8 = 7
        package static let pps: UInt8 = 8
        package static let delimiter: UInt8 = 9
    }

    /// The NAL units in a byte stream with start codes (annex B), as ranges without start codes and trailing zeros.
    package static func nalUnits(inAnnexB bytes: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
        var units: [Range<Int>] = []
        var start: Int?
        var index = 0
        while index + 2 < bytes.count {
            if bytes[index + 2] > 1 {
                index += 3
            } else if bytes[index] == 0, bytes[index + 1] == 0, bytes[index + 2] == 1 {
                if let start { append(start..<index) }
                start = index + 3
                index += 3
            } else {
                index += 1
            }
        }
        if let start { append(start..<bytes.count) }
        return units

        func append(_ range: Range<Int>) {
            var end = range.upperBound
            while end > range.lowerBound, bytes[end - 1] == 0 { end -= 1 }
            if end > range.lowerBound { units.append(range.lowerBound..<end) }
        }
    }
}
