import Codecs
import Testing

@Suite struct IMAADPCMTests {
    /// The second block of a tone of 700 Hz as ffmpeg's encoder makes it, and what its decoder makes of that, which
    /// rounds once where the recommendation adds up rounded parts.
    @Test func decodesAsOthersDo() {
        let block: [UInt8] = [
            0xBE, 0xFE, 0x3A, 0x00, 0x24, 0x91, 0xDB, 0xAB, 0x18, 0x35, 0x23, 0xB0, 0xCD, 0x9A, 0x30, 0x44, 0x02, 0xB9,
            0xBD, 0x89, 0x42, 0x24, 0x81, 0xCA, 0xAC, 0x19, 0x53, 0x13, 0x90, 0xCC, 0xAA, 0x20,
        ]
        let expected: [Int16] = [
            1790, 3210, 3984, 3280, 1787, -347, -2335, -3626, -3860, -3220, -1086, 902, 2709, 3882, 4095, 2737, 797,
            -1527, -3088, -3940, -3682, -2039, -119, 2205, 3766, 4050, 3276, 1633, -714, -2900, -3752, -4010, -2837,
            -917, 1407, 2968, 3820, 3562, 2389, 469, -1855, -3416, -4268, -3494, -1851, 496, 2682, 3534, 3792, 3088,
            1168, -1156, -2717, -4137, -3879, -2706,
        ]
        let decoded = IMAADPCM.decode(block)
        #expect(decoded.count == expected.count)
        #expect(zip(decoded, expected).allSatisfy { abs($0 - $1) <= 8 })
    }

    @Test func brokenBlocksAreShort() {
        for count in 0..<4 { #expect(IMAADPCM.decode([UInt8](repeating: 0xFF, count: count)).isEmpty) }
        // A step index beyond the table is the last one.
        #expect(IMAADPCM.decode([0, 0, 0xFF, 0, 0x77]).count == 2)
    }
}
