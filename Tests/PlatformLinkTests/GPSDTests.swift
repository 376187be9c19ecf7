import PlatformLink
import Testing

@Suite struct GPSDTests {
    private let fix = """
        {"class":"VERSION","release":"3.25"}
        {"class":"TPV","device":"/dev/ttyS0","mode":3,"time":"2026-11-21T20:00:00.000Z","lat":22.5,"lon":-114.25,"altMSL":12}

        """

    @Test func positionsAreReadWhereverTheBytesAreCut() {
        let bytes = Array(fix.utf8)
        for cut in 0...bytes.count {
            var reader = GPSDReader()
            let found = [reader.feed(bytes[..<cut]), reader.feed(bytes[cut...])].compactMap { $0 }
            #expect(found == [.position(.init(latitude: 22.5, longitude: -114.25, altitude: 12))])
        }
    }

    @Test func withoutAFixThereIsNone() {
        var reader = GPSDReader()
        #expect(reader.feed(Array("{\"class\":\"TPV\",\"mode\":1}\n".utf8)) == .lost)
        #expect(reader.feed(Array("{\"class\":\"TPV\",\"mode\":3,\"lat\":91,\"lon\":0}\n".utf8)) == .lost)
        #expect(reader.feed(Array("nonsense\n{\"class\":\"SKY\"}\n".utf8)) == nil)
        _ = reader.feed([UInt8](repeating: 0x41, count: 10 * GPSDReader.maximumLine))
        #expect(reader.feed(Array(("\n" + fix).utf8)) != nil)
    }
}
