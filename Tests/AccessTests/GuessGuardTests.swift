import Access
import Media
import Testing

@Suite struct GuessGuardTests {
    private let address = GuessGuard.Address.v4(1)

    @Test func pausesGrowToMinutes() {
        var guesses = GuessGuard()
        var now = MediaTime.seconds(50)
        for _ in 1..<GuessGuard.freeGuesses {
            guesses.failed(address, at: now)
            #expect(guesses.pause(of: address, at: now) == nil)
        }
        var pauses: [Int64] = []
        for _ in 0..<12 {
            guesses.failed(address, at: now)
            let pause = guesses.pause(of: address, at: now) ?? .zero
            pauses.append(pause.milliseconds / 1000)
            now += pause
            #expect(guesses.pause(of: address, at: now) == nil)
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600])
        #expect(guesses.pause(of: .v4(2), at: now) == nil)
    }

    @Test(arguments: [
        (GuessGuard.Address.v4(0xC000_0201), "192.0.2.1"), (.v6(0x2001_0DB8_0000_00FF), "2001:db8:0:ff::/64"),
        (.other, "elsewhere"),
    ])
    func addressesAreWrittenAsUsual(_ address: GuessGuard.Address, _ text: String) {
        #expect(address.description == text)
    }

    @Test func whoIsQuietBeginsAnew() {
        var guesses = GuessGuard()
        for _ in 0..<GuessGuard.freeGuesses { guesses.failed(address, at: .zero) }
        let later = GuessGuard.firstPause + GuessGuard.memory
        guesses.failed(address, at: later)
        #expect(guesses.pause(of: address, at: later) == nil)
    }

    @Test func whatIsRememberedHasALimit() {
        var guesses = GuessGuard()
        for _ in 0..<20 { guesses.failed(address, at: .zero) }
        for number in 0..<UInt64(3 * GuessGuard.maximumAddresses) { guesses.failed(.v6(number), at: .seconds(1)) }
        #expect(guesses.count == GuessGuard.maximumAddresses)
        // Who waits longest is kept.
        #expect(guesses.pause(of: address, at: .seconds(2)) != nil)
    }
}
