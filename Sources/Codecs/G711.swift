/// G.711 A-law (ITU-T G.711, table 1a), sample by sample.
package enum ALaw {
    package static let rate = 8000

    private static let decoded: [Int16] = (0...255).map { expand(UInt8($0)) }

    package static func decode(_ code: UInt8) -> Int16 { decoded[Int(code)] }

    package static func encode(_ sample: Int16) -> UInt8 {
        // Thirteen bits and a sign; even bits are inverted.
        let mask: UInt8 = sample >= 0 ? 0xD5 : 0x55
        var magnitude = Int(sample) >> 3
        if magnitude < 0 { magnitude = -magnitude - 1 }
        guard magnitude >= 32 else { return UInt8(magnitude >> 1) ^ mask }
        let segment = Int.bitWidth - 1 - magnitude.leadingZeroBitCount - 4
        return UInt8(segment << 4 | (magnitude >> segment & 15)) ^ mask
    }

    private static func expand(_ code: UInt8) -> Int16 {
        let value = code ^ 0x55
        let mantissa = Int16(value & 15) << 4
        let segment = Int16(value >> 4 & 7)
        let magnitude = segment == 0 ? mantissa + 8 : (mantissa + 0x108) << (segment - 1)
        return value & 0x80 != 0 ? magnitude : -magnitude
    }
}

/// G.711 µ-law (ITU-T G.711, table 2a); only what others send is read.
package enum MuLaw {
    private static let decoded: [Int16] = (0...255).map { expand(UInt8($0)) }

    package static func decode(_ code: UInt8) -> Int16 { decoded[Int(code)] }

    private static func expand(_ code: UInt8) -> Int16 {
        let value = ~code
        let magnitude = ((Int16(value & 15) << 3) + 0x84) << Int16(value >> 4 & 7) - 0x84
        return value & 0x80 != 0 ? -magnitude : magnitude
    }
}
