import Codecs
import Testing

@Suite struct ALawTests {
    @Test func everyCodeComesBack() {
        for code in UInt8.min...UInt8.max { #expect(ALaw.encode(ALaw.decode(code)) == code) }
    }

    /// From G.711's table 1a: silence, the ends, and the sign.
    @Test func knownValues() {
        #expect(ALaw.encode(0) == 0xD5)
        #expect(ALaw.encode(-1) == 0x55)
        #expect(ALaw.encode(.max) == 0xAA)
        #expect(ALaw.encode(.min) == 0x2A)
        #expect(ALaw.decode(0xD5) == 8)
        #expect(ALaw.decode(0x55) == -8)
        #expect(ALaw.decode(0xAA) == 32256)
        #expect(MuLaw.decode(0xFF) == 0)
        #expect(MuLaw.decode(0x80) == 32124)
        #expect(MuLaw.decode(0x00) == -32124)
    }

    @Test func errorsAreSmall() {
        for sample in stride(from: -32768, through: 32767, by: 7) {
            let decoded = Int(ALaw.decode(ALaw.encode(Int16(sample))))
            #expect(abs(decoded - sample) <= max(abs(sample) / 30, 16))
        }
    }
}
