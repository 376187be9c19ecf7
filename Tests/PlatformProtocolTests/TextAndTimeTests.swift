import PlatformProtocol
import Testing

@Suite struct TextAndTimeTests {
    @Test func textsInGBK() {
        #expect(hex(GBK.encode("测A12345") ?? []) == "b2e2413132333435")
        #expect(GBK.decode([0xB2, 0xE2, 0x41]) == "测A")
        // Outside GB 2312, symbols, the compatible ones.
        for (text, code) in [("丂", "8140"), ("镕", "e946"), ("　", "a1a1"), ("⒈", "a2b1"), ("〇", "a996"), ("﨩", "fe4f")] {
            #expect(hex(GBK.encode(text) ?? []) == code)
            #expect(GBK.decode(bytes(hex: code) ?? []) == text)
        }
        #expect(GBK.encode("😀") == nil)
        // What is broken is replaced, and what follows is read.
        #expect(GBK.decode([0x41, 0xFF, 0x42, 0xB2]) == "A\u{FFFD}B\u{FFFD}")
    }

    @Test func allOfGBKComesBack() {
        var count = 0
        var sum: UInt64 = 0
        for first in UInt8(0x81)...0xFE {
            for second in UInt8(0x40)...0xFE {
                let text = GBK.decode([first, second])
                guard text.unicodeScalars.count == 1, let scalar = text.unicodeScalars.first, scalar != "\u{FFFD}"
                else { continue }
                count += 1
                sum = sum &* 31 &+ UInt64(scalar.value)
            }
        }
        // Number and check sum from Python's codec.
        #expect(count == 21791)
        #expect(sum == 0xC8C76B126025111A)
    }

    @Test func timesAreInUTCPlusEight() {
        #expect("\(JT808Time(milliseconds: 1_600_000_000_000))" == "200913202640")
        #expect("\(JT808Time(milliseconds: 1_600_000_000_000, offset: 0))" == "200913122640")
        var random: Int64 = 946_684_800_000
        while random < 4_102_444_800_000 - JT808Time.offset {
            #expect(JT808Time(milliseconds: random).milliseconds() == random / 1000 * 1000)
            random += 12_345_678_901
        }
        #expect(JT808Time.none.isNone)
        #expect(JT808Time.none.milliseconds() == nil)
        #expect(JT808Time(raw: [0x26, 0x13, 1, 1, 1, 1]).milliseconds() == nil)
        #expect(JT808Time(raw: [0xAA, 1, 1, 1, 1, 1]).milliseconds() == nil)
    }

    @Test func numbersInBCD() {
        #expect(PhoneNumber("013800138000")?.digits == "13800138000")
        #expect(PhoneNumber("")?.digits == nil)
        #expect(PhoneNumber("12a") == nil)
        #expect(hex(PhoneNumber("13800138000")?.bcd(6) ?? []) == "013800138000")
        #expect(hex(PhoneNumber("13800138000")?.bcd(10) ?? []) == "00000000013800138000")
        #expect(hex(PhoneNumber("12345678901234567890")?.bcd(6) ?? []) == "901234567890")
    }
}
