import Devices
import Media
import Testing

@Suite struct PlaybackPaceTests {
    /// However much a device would take at once, no more is written than it can have played.
    @Test func aDeviceThatTakesEverythingIsHeldToItsRate() {
        var pace = PlaybackPace(rate: 16000)
        let fill = 960
        var written = 0
        for step in 0..<120_000 {
            let now = MediaTime.milliseconds(Int64(step) * 10)
            let room = fill - pace.unplayed(at: now)
            #expect(room >= 0 && room <= fill)
            if room >= 160 {
                pace.wrote(room, at: now)
                written += room
            }
        }
        let seconds = 1200.0
        let rate = Double(written - fill) / seconds
        #expect(rate >= 16000 && rate <= 16000 * (1 + PlaybackPace.tolerance) + 1)
    }

    @Test func afterAPauseItBeginsAnew() {
        var pace = PlaybackPace(rate: 8000)
        pace.wrote(800, at: .zero)
        #expect(pace.unplayed(at: .milliseconds(50)) < 401 && pace.unplayed(at: .milliseconds(50)) > 395)
        #expect(pace.unplayed(at: .seconds(3600)) == 0)
        pace.wrote(80, at: .seconds(3600))
        #expect(pace.unplayed(at: .seconds(3600)) == 80)
    }
}
