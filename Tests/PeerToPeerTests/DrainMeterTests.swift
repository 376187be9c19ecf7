import NIOCore
import PeerToPeer
import Testing

@Suite struct DrainMeterTests {
    /// A link that carries `rate` bytes a second, and is given `offered`.
    private func marks(rate: Int, offered: Int, seconds: Int, meter: inout DrainMeter, from start: Int = 0)
        -> BufferMarks
    {
        var (sent, buffered) = (0, 0)
        for turn in 1...(seconds * 5) {
            let room = max(meter.marks.high - buffered, 0)
            let given = min(offered / 5, room + 16_384)
            sent += given
            buffered = max(buffered + given - rate / 5, 0)
            meter.review(
                now: .uptimeNanoseconds(UInt64(start * 1_000_000_000 + turn * 200_000_000)), sent: sent,
                buffered: buffered)
        }
        return meter.marks
    }

    @Test func aPathThatCarriesAllHasTheMarksAsTheyAre() {
        var meter = DrainMeter(BufferMarks(), now: .uptimeNanoseconds(0))
        #expect(marks(rate: 2_000_000, offered: 250_000, seconds: 10, meter: &meter) == BufferMarks())
        #expect(meter.rate == nil)
    }

    @Test func aSlowPathHoldsNoMoreThanItDrainsInAQuarterOfASecond() throws {
        var meter = DrainMeter(BufferMarks(), now: .uptimeNanoseconds(0))
        let marks = marks(rate: 200_000, offered: 500_000, seconds: 20, meter: &meter)
        let rate = try #require(meter.rate)
        #expect((150_000...250_000).contains(rate))
        #expect((37_000...63_000).contains(marks.high))
        #expect(marks.low < marks.warn && marks.warn < marks.high)
    }

    @Test func noPathIsSoSlowThatAKeyFrameIsCutUpForNothing() {
        var meter = DrainMeter(BufferMarks(), now: .uptimeNanoseconds(0))
        #expect(marks(rate: 20_000, offered: 500_000, seconds: 20, meter: &meter).high == DrainMeter.leastHigh)
    }

    @Test func whatWasKnownFades() {
        var meter = DrainMeter(BufferMarks(), now: .uptimeNanoseconds(0))
        _ = marks(rate: 100_000, offered: 500_000, seconds: 10, meter: &meter)
        #expect(meter.marks != BufferMarks())
        #expect(marks(rate: 2_000_000, offered: 50_000, seconds: 60, meter: &meter, from: 10) == BufferMarks())
    }
}
