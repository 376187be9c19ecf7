import Media
import Talkback
import TestSupport
import Testing

@Suite struct JitterBufferTests {
    private static let rate = 16000
    private static let limits = JitterBuffer.Limits(target: .milliseconds(120), maximum: .milliseconds(400))
    private static let pull = 160

    /// A sender, a network and a speaker in simulated time; steps of a millisecond, the speaker takes 10 ms at a time.
    private struct Line {
        var buffer = JitterBuffer(rate: JitterBufferTests.rate, limits: JitterBufferTests.limits)
        var heard: [Int16] = []
        var deepest = MediaTime.zero
        /// What has been said and not yet delivered.
        private var onTheWay: [Int16] = []
        private var position = 0.0
        private var taken = 0
        private var milliseconds: Int64 = 0

        /// - Parameters:
        ///   - speed: of the sender's clock.
        ///   - chunk: delivered at once, in milliseconds of the sender's.
        ///   - isOpen: whether the network delivers at this millisecond.
        mutating func run(
            milliseconds count: Int, speed: Double = 1, chunk: Int = 20, frequency: Double = 200,
            isOpen: (Int) -> Bool = { _ in true }
        ) {
            for step in 0..<count {
                position += Double(JitterBufferTests.rate) / 1000 * speed
                let now = MediaTime.milliseconds(milliseconds)
                let samples = chunk * JitterBufferTests.rate / 1000
                while taken + samples <= Int(position) {
                    onTheWay += Sound.tone(frequency, rate: JitterBufferTests.rate, count: samples, from: taken)
                    taken += samples
                }
                if isOpen(step), !onTheWay.isEmpty {
                    buffer.push(onTheWay, at: now)
                    onTheWay = []
                }
                if milliseconds % 10 == 9 { heard += buffer.pull(JitterBufferTests.pull, at: now) }
                deepest = max(deepest, buffer.delay)
                milliseconds += 1
            }
        }
    }

    /// Of 200 Hz at 8000; a cut without a fade would be steeper by far.
    private static let steepestTone = 640
    private static let steepestFade = 1300

    @Test func anEvenStreamIsHeardWholeAfterTheTarget() {
        var line = Line()
        line.run(milliseconds: 10_000)
        #expect(line.buffer.counters.underruns == 0 && line.buffer.counters.dropped == 0)
        #expect(line.deepest <= .milliseconds(145))
        let begin = line.heard.firstIndex { $0 != 0 } ?? 0
        #expect((1600...2400).contains(begin))
        #expect(Sound.steepest(line.heard) <= Self.steepestTone)
        let middle = line.heard[begin + 160..<line.heard.count - 160]
        #expect(Sound.share(of: 200, in: middle, rate: Self.rate) > 0.95)
    }

    @Test func alwaysAsManyComeOutAsAreAskedFor() {
        var random = SplitMix64(state: 9)
        var buffer = JitterBuffer(rate: Self.rate, limits: Self.limits)
        for step in 0..<20_000 {
            let now = MediaTime.milliseconds(Int64(step))
            if random.below(3) == 0 { buffer.push([Int16](repeating: 5, count: random.below(900)), at: now) }
            if random.below(50) == 0 { buffer.conceal(random.below(9000), at: now) }
            let count = random.below(400)
            #expect(buffer.pull(count, at: now).count == count)
            #expect(buffer.depth <= 6400)
        }
    }

    @Test func aStallHealsAndTheDelayComesBack() {
        var line = Line()
        line.run(milliseconds: 5000)
        line.run(milliseconds: 25_000) { !(1000..<1300).contains($0) }
        let counters = line.buffer.counters
        #expect(counters.underruns == 1)
        #expect(line.deepest <= .milliseconds(400))
        let silence = MediaTime.samples(counters.silence, rate: Self.rate)
        #expect(silence >= .milliseconds(140) && silence <= .milliseconds(230))
        #expect(line.buffer.delay <= .milliseconds(150))
        #expect(Sound.steepest(line.heard) <= Self.steepestFade)
    }

    @Test func whatComesTooLateIsDroppedUpToTheNewest() {
        var line = Line()
        line.run(milliseconds: 1000)
        line.run(milliseconds: 25_000) { !(0..<3000).contains($0) }
        let dropped = MediaTime.samples(line.buffer.counters.dropped, rate: Self.rate)
        #expect(dropped >= .milliseconds(2500))
        #expect(line.deepest <= .milliseconds(400) && line.buffer.delay <= .milliseconds(150))
        #expect(line.buffer.counters.underruns == 1)
    }

    @Test func aFileSentAtOnceCostsNoMemory() {
        var buffer = JitterBuffer(rate: Self.rate, limits: Self.limits)
        for _ in 0..<100 { buffer.push([Int16](repeating: 1000, count: 16000), at: .zero) }
        #expect(buffer.depth == 6400 && buffer.delay == .milliseconds(400))
        #expect(buffer.counters.dropped == 100 * 16000 - 6400)
    }

    @Test(arguments: [0.996, 0.9995, 1.0005, 1.004]) func aSendersClockMayDrift(speed: Double) {
        var line = Line()
        line.run(milliseconds: 300_000, speed: speed)
        #expect(line.buffer.counters.underruns == 0 && line.buffer.counters.dropped == 0)
        #expect(line.buffer.delay > .milliseconds(60) && line.deepest < .milliseconds(220))
        #expect(Sound.steepest(line.heard) <= Self.steepestTone)
    }

    /// Some recorders hand out a quarter of a second at a time.
    @Test func largePiecesAreHeardWhole() {
        var line = Line()
        line.run(milliseconds: 3000, chunk: 256)
        let before = line.buffer.counters
        line.run(milliseconds: 30_000, chunk: 256)
        #expect(line.buffer.counters.underruns == before.underruns && line.buffer.counters.dropped == before.dropped)
        #expect(line.deepest <= .milliseconds(400))
    }

    /// What a lossy network makes of TCP: now and then everything comes a fifth of a second later.
    @Test func retransmissionsAreLearntFrom() {
        var line = Line()
        let isOpen: (Int) -> Bool = { !($0 % 1700 < 200) }
        line.run(milliseconds: 5000, isOpen: isOpen)
        let before = line.buffer.counters
        line.run(milliseconds: 60_000, isOpen: isOpen)
        #expect(line.buffer.counters.underruns - before.underruns <= 1)
        #expect(line.deepest <= .milliseconds(400))
    }

    @Test func aShortWordIsHeard() {
        var buffer = JitterBuffer(rate: Self.rate, limits: Self.limits)
        buffer.push(Sound.tone(200, rate: Self.rate, count: 480), at: .zero)
        var heard: [Int16] = []
        for step in 1...40 { heard += buffer.pull(Self.pull, at: .milliseconds(Int64(10 * step))) }
        #expect(heard.filter { $0 != 0 }.count > 440)
        #expect(buffer.counters.underruns == 1 && Sound.steepest(heard) <= Self.steepestFade)
    }

    @Test func theEndIsPlayedAndIsNoUnderrun() {
        var buffer = JitterBuffer(rate: Self.rate, limits: Self.limits)
        buffer.push(Sound.tone(200, rate: Self.rate, count: 3200), at: .zero)
        buffer.finish()
        var heard: [Int16] = []
        var isDrained: [Bool] = []
        for step in 0..<30 {
            heard += buffer.pull(Self.pull, at: .milliseconds(Int64(10 * step)))
            isDrained.append(buffer.isDrained)
        }
        #expect(buffer.counters.underruns == 0 && buffer.counters.silence == 0)
        #expect(isDrained.firstIndex(of: true).map { (19...21).contains($0) } == true)
        #expect((3190...3200).contains(Int(buffer.counters.played)))
    }

    /// A lost frame leaves a hole of its length, not a shorter story.
    @Test func aLostFrameKeepsItsPlace() {
        var buffer = JitterBuffer(rate: Self.rate, limits: Self.limits)
        var heard: [Int16] = []
        var position = 0
        for frame in 0..<100 {
            let now = MediaTime.milliseconds(Int64(64 * frame))
            if frame % 20 == 10 {
                buffer.conceal(1024, at: now)
            } else {
                buffer.push(Sound.tone(200, rate: Self.rate, count: 1024, from: position), at: now)
            }
            position += 1024
            heard += buffer.pull(1024, at: now + .milliseconds(32))
        }
        #expect(buffer.counters.underruns == 0 && buffer.counters.dropped == 0)
        #expect(Sound.steepest(heard) <= Self.steepestFade)
    }
}
