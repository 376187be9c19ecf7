import Media
import Streaming
import Testing

@Suite struct CaptureShiftTests {
    private static let patience = CaptureShift.patience

    @Test func aThreadThatGetsOnIsNotRelieved() {
        var shift = CaptureShift()
        var now = MediaTime.zero
        for _ in 0..<100 {
            shift.turn(0, now: now)
            now += .seconds(10)
            #expect(shift.relieve(now: now) == nil)
        }
        #expect(!shift.isOver(0))
    }

    @Test func aHeldThreadIsRelievedAndEndsWhenItComesBack() {
        var shift = CaptureShift()
        shift.turn(0, now: .zero)
        #expect(shift.relieve(now: Self.patience) == nil)
        #expect(shift.relieve(now: Self.patience + .milliseconds(1)) == 1)
        #expect(shift.isOver(0))
        #expect(!shift.isOver(1))
        #expect(shift.held == 1)
        // What the old one does keeps the new one from nothing.
        shift.turn(0, now: .seconds(1000))
        shift.ended(0)
        #expect(shift.held == 0)
        shift.turn(1, now: .seconds(1000))
        #expect(shift.relieve(now: .seconds(1001)) == nil)
    }

    @Test func noMoreThanSomeThreadsAreHeld() {
        var shift = CaptureShift()
        var now = MediaTime.zero
        shift.turn(0, now: now)
        var relieved = 0
        for _ in 0..<20 {
            now += .seconds(60)
            if shift.relieve(now: now) != nil { relieved += 1 }
        }
        #expect(relieved == CaptureShift.maximumHeld)
        shift.ended(0)
        #expect(shift.relieve(now: now + .seconds(60)) != nil)
    }

    @Test func nobodyIsRelievedBeforeTheBeginningOrAfterTheEnd() {
        var shift = CaptureShift()
        #expect(shift.relieve(now: .seconds(100)) == nil)
        shift.turn(0, now: .zero)
        shift.stop()
        #expect(shift.relieve(now: .seconds(100)) == nil)
        #expect(shift.isOver(0))
    }
}

@Suite struct MeterTests {
    @Test func silenceAndFullScaleAreMeasured() {
        var meter = SoundMeter(rate: 8000, channels: 1)
        #expect(meter.level == nil)
        meter.add([Int16](repeating: 0, count: 8000))
        #expect(meter.level == SoundLevel(peak: 0, rms: 0, clipped: 0, seconds: 1))
        meter.add([Int16](repeating: -32768, count: 8000))
        #expect(meter.level?.peak == 1)
        #expect(meter.level?.clipped == 0.5)
        #expect(meter.level?.seconds == 2)
    }

    @Test func onlyTheLastSecondsCount() {
        var meter = SoundMeter(rate: 1000, channels: 2)
        meter.add([Int16](repeating: 32767, count: 2000))
        for _ in 0..<SoundMeter.windows { meter.add([Int16](repeating: 16, count: 2000)) }
        #expect(meter.level?.clipped == 0)
        #expect(meter.level?.rms == 16.0 / 32768)
    }

    @Test func stagesKeepTheLastPictures() {
        var meter = StageMeter()
        #expect(meter.times.isEmpty)
        meter.add(.encode, .seconds(9))
        for count in 1...StageMeter.window { meter.add(.encode, .microseconds(Int64(count))) }
        let times = meter.times
        #expect(times.map(\.stage) == [.encode])
        #expect(times.first?.pictures == StageMeter.window)
        #expect(times.first?.maximum == StageMeter.window)
        #expect(times.first?.median == StageMeter.window / 2)
    }

    @Test func fewPicturesAreInOrderToo() {
        var meter = StageMeter()
        for count in 1...5 {
            meter.add(.wait, .microseconds(Int64(count)))
            let times = meter.times.first
            #expect(times.map { $0.median <= $0.p99 && $0.p99 == $0.maximum } == true)
        }
    }

    @Test func histogramsHoldThoseBefore() {
        var histogram = EncodeHistogram()
        histogram.add(.milliseconds(1))
        histogram.add(.milliseconds(3))
        histogram.add(.seconds(1))
        #expect(histogram.count == 3)
        #expect(histogram.cumulative.prefix(3) == [1, 1, 2])
        #expect(histogram.cumulative.last == 2)
    }
}
