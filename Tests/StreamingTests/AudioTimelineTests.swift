import Glibc
import Media
import Streaming
import Testing

@Suite struct AudioTimelineTests {
    /// A microphone of the test's own: a clock that runs `drift` millionths too fast, time stamps that jitter.
    private struct Microphone {
        let rate = 16000
        let drift: Double
        let jitter: Int64
        var position: Int64 = 0
        var random: UInt64 = 1

        func time(of sample: Int64) -> MediaTime {
            .seconds(100) + MediaTime(nanoseconds: Int64(Double(sample) * 1e9 / (Double(rate) * (1 + drift / 1e6))))
        }

        mutating func next(_ count: Int = 320) -> SampleBuffer {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let noise = jitter == 0 ? 0 : Int64(random >> 33) % (2 * jitter) - jitter
            let first = time(of: position)
            // The tone is true to real time, as a sounding thing is.
            let samples = (0..<count).map { index in
                Int16(8000 * sin(2 * .pi * 50 * (time(of: position + Int64(index)) - .seconds(100)).seconds))
            }
            position += Int64(count)
            return SampleBuffer(
                samples: samples, rate: rate, channels: 1, time: first + MediaTime(nanoseconds: noise))
        }
    }

    @Test(arguments: [0.0, 200, -200, 800]) func aDriftingClockMovesNothing(drift: Double) {
        var microphone = Microphone(drift: drift, jitter: 500_000)
        var timeline = AudioTimeline(rate: 16000, channels: 1, origin: microphone.time(of: 0))
        var worst = 0.0
        // Half an hour of sound.
        for index in 0..<90_000 {
            _ = timeline.push(microphone.next())
            let error = (timeline.end - microphone.time(of: microphone.position)).seconds
            if index > 500 { worst = max(worst, abs(error)) }
        }
        #expect(worst < 0.01)
        #expect(abs(timeline.driftPartsPerMillion - drift) < 60)
        #expect(timeline.silence == 0)
    }

    @Test func theToneStaysWhereItWas() {
        var microphone = Microphone(drift: 300, jitter: 0)
        var timeline = AudioTimeline(rate: 16000, channels: 1, origin: microphone.time(of: 0))
        var output: [Int16] = []
        for _ in 0..<15_000 { output += timeline.push(microphone.next()) }
        // After five minutes the tone's phase is still that of real time, within a few milliseconds of settling.
        let start = output.count - 16000
        var best = (error: Double.infinity, shift: 0)
        for shift in -160...160 {
            let error = stride(from: 0, to: 8000, by: 7).reduce(0.0) { sum, index in
                let expected = 8000 * sin(2 * .pi * 50 * Double(start + index + shift) / 16000)
                return sum + abs(expected - Double(output[start + index]))
            }
            if error < best.error { best = (error, shift) }
        }
        #expect(abs(best.shift) < 48)
        #expect(best.error / 1143 < 300)
    }

    @Test func aHoleIsFilledWithSilenceOfItsExactLength() {
        var microphone = Microphone(drift: 0, jitter: 0)
        var timeline = AudioTimeline(rate: 16000, channels: 1, origin: microphone.time(of: 0))
        for _ in 0..<50 { _ = timeline.push(microphone.next()) }
        // An overrun: 12345 samples are lost.
        microphone.position += 12_345
        let output = timeline.push(microphone.next())
        #expect(abs(timeline.silence - 12_345) <= 3)
        #expect(output.prefix(12_000).allSatisfy { $0 == 0 })
        #expect(abs((timeline.end - microphone.time(of: microphone.position)).nanoseconds) < 500_000)
    }

    @Test func silenceStandsInAndOverlapIsCut() {
        var microphone = Microphone(drift: 0, jitter: 0)
        var timeline = AudioTimeline(rate: 16000, channels: 1, origin: microphone.time(of: 0))
        let filled = timeline.fill(upTo: microphone.time(of: 8000))
        #expect(filled.count == 8000)
        #expect(timeline.fill(upTo: microphone.time(of: 8000)).isEmpty)
        // The microphone was only slow: what it brings now has been filled.
        _ = timeline.push(microphone.next(4000))
        #expect(timeline.end == microphone.time(of: 8000))
        _ = timeline.push(microphone.next(8000))
        #expect(abs((timeline.end - microphone.time(of: 12_000)).nanoseconds) < 500_000)
    }

    @Test func aLongPauseIsFilledInPieces() {
        var timeline = AudioTimeline(rate: 8000, channels: 2, origin: .zero)
        #expect(timeline.fill(upTo: .seconds(3600)).count == 8000 * 2)
    }

    @Test func aPerfectClockIsLeftAlone() {
        var timeline = AudioTimeline(rate: 16000, channels: 2, origin: .zero)
        var expected: [Int16] = []
        var output: [Int16] = []
        for index in 0..<20 {
            let samples = (0..<640).map { Int16(truncatingIfNeeded: $0 * 37 + index * 101) }
            expected += samples
            output += timeline.push(
                SampleBuffer(samples: samples, rate: 16000, channels: 2, time: .milliseconds(Int64(index) * 20)))
        }
        #expect(output.count >= expected.count - 8)
        #expect(Array(expected.prefix(output.count)) == output)
    }
}
