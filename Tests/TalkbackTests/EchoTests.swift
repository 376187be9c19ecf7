import Glibc
import Media
import Talkback
import TestSupport
import Testing

@Suite struct EchoTests {
    private static let rate = 16000
    private static let start = MediaTime.seconds(50)

    /// A speaker, a room and a microphone in simulated time.
    private struct Room {
        /// From the speaker's driver to the microphone's, beyond what these say of themselves.
        var delay: MediaTime
        var strength = 0.5
        /// How inexact the drivers' times are.
        var jitter = 300.0
        /// By how much faster the microphone's crystal runs, as a share.
        var drift = 0.0

        /// A direct way and reflections for about 60 ms.
        private func heard(_ far: [Int16]) -> [Double] {
            var random = SplitMix64(state: 77)
            let first = Int(delay.ticks(rate: rate))
            var ways = [(first, strength)]
            for _ in 0..<40 {
                let later = random.below(rate * 60 / 1000)
                let sign = random.below(2) == 0 ? 1.0 : -1.0
                ways.append((first + later, sign * strength * 0.25 * exp(-Double(later) / 300)))
            }
            var echo = [Double](repeating: 0, count: far.count)
            for (shift, gain) in ways {
                for index in max(shift, 0)..<min(far.count, far.count + shift) {
                    echo[index] += gain * Double(far[index - shift])
                }
            }
            return echo
        }

        /// What the microphone hears, and what is left of it after `process`; of the same length.
        func listen(
            far: [Int16], near: [Int16], farEnd: FarEnd, process: (inout SampleBuffer) -> Void
        ) -> (captured: [Int16], clean: [Int16]) {
            var random = SplitMix64(state: 78)
            func inexact(_ time: MediaTime) -> MediaTime {
                time + .microseconds(Int64(Double(random.below(2001) - 1000) / 1000 * jitter))
            }
            let echo = heard(far)
            var (captured, clean): ([Int16], [Int16]) = ([], [])
            var (written, position) = (0, 0)
            farEnd.begin()
            farEnd.setTalking(true)
            while position + 320 <= far.count {
                let end = start + .samples(Int64(Double(position + 320) / (1 + drift)), rate: rate)
                // The speaker is 50 ms ahead, 10 ms at a time.
                while written + 160 <= far.count, start + .samples(Int64(written - 800), rate: rate) < end {
                    farEnd.played(
                        Array(far[written..<written + 160]), at: inexact(start + .samples(Int64(written), rate: rate)))
                    written += 160
                }
                let samples = (position..<position + 320).map { index in
                    let place = Double(index) / (1 + drift)
                    let low = min(Int(place), far.count - 2)
                    let part = place - Double(low)
                    return Int16(
                        clamping: Int(echo[low] * (1 - part) + echo[low + 1] * part) + Int(near[index]))
                }
                var buffer = SampleBuffer(
                    samples: samples, rate: rate, channels: 1,
                    time: inexact(start + .samples(Int64(Double(position) / (1 + drift)), rate: rate)))
                captured += samples
                process(&buffer)
                clean += buffer.samples
                position += 320
            }
            return (captured, clean)
        }
    }

    private static func quiet(_ count: Int) -> [Int16] {
        var random = SplitMix64(state: 4)
        return (0..<count).map { _ in Int16(random.below(9)) - 4 }
    }

    @Test(arguments: [-5, 5, 60, 150, 300, 450])
    func afterThreeSecondsTheEchoIsDownBy25Decibels(delay: Int64) throws {
        let far = Sound.voice(seed: 1, rate: Self.rate, count: 8 * Self.rate)
        let farEnd = FarEnd(rate: Self.rate)
        let echo = try MicrophoneEcho(farEnd: farEnd, rate: Self.rate, channels: 1)
        let (captured, clean) = Room(delay: .milliseconds(delay)).listen(
            far: far, near: Self.quiet(far.count), farEnd: farEnd
        ) { echo.process(&$0) }
        let after = 3 * Self.rate..<clean.count
        let loss = Sound.decibels(captured[after], over: clean[after])
        print("echo \(delay) ms: \(loss) dB, report \(echo.report)")
        #expect(loss >= 25)
        #expect(echo.report.realignments == 0)
        let found = try #require(echo.report.delay)
        #expect(abs(found.milliseconds - delay) <= 3)
        #expect(try #require(echo.report.lossDecibels) >= 20)
    }

    @Test func theNearVoiceSurvivesDoubleTalk() throws {
        let far = Sound.voice(seed: 1, rate: Self.rate, count: 10 * Self.rate)
        var near = Self.quiet(far.count)
        let begin = 5 * Self.rate
        for (index, sample) in Sound.voice(seed: 23, rate: Self.rate, count: 5 * Self.rate).enumerated() {
            near[begin + index] += sample
        }
        let farEnd = FarEnd(rate: Self.rate)
        let echo = try MicrophoneEcho(farEnd: farEnd, rate: Self.rate, channels: 1)
        let (captured, clean) = Room(delay: .milliseconds(40)).listen(far: far, near: near, farEnd: farEnd) {
            echo.process(&$0)
        }
        // The canceller works in frames and its filters delay a little: the best match within 32 ms.
        let voice = near[begin..<clean.count - 512]
        func best(_ heard: [Int16]) -> Double {
            (0..<512).map { Sound.correlation(voice, heard[begin + $0..<begin + $0 + voice.count]) }.max() ?? 0
        }
        let (before, after) = (best(captured), best(clean))
        print("double talk: correlation \(before) before, \(after) after")
        #expect(after >= 0.85 && after > before)
    }

    @Test(arguments: [-80e-6, 80e-6]) func crystalsMayDiffer(drift: Double) throws {
        let far = Sound.voice(seed: 3, rate: Self.rate, count: 20 * Self.rate)
        let farEnd = FarEnd(rate: Self.rate)
        let echo = try MicrophoneEcho(farEnd: farEnd, rate: Self.rate, channels: 1)
        let (captured, clean) = Room(delay: .milliseconds(30), drift: drift).listen(
            far: far, near: Self.quiet(far.count), farEnd: farEnd
        ) { echo.process(&$0) }
        let after = 3 * Self.rate..<clean.count
        let loss = Sound.decibels(captured[after], over: clean[after])
        print("drift \(drift): \(loss) dB, report \(echo.report)")
        #expect(loss >= 20)
    }

    @Test func theSpeakersRateMayBeAnother() throws {
        let far = Sound.voice(seed: 1, rate: Self.rate, count: 8 * Self.rate)
        let farEnd = FarEnd(rate: 8000)
        let echo = try MicrophoneEcho(farEnd: farEnd, rate: Self.rate, channels: 1)
        // A speaker of 8 kHz: every sample is heard twice.
        let slow = stride(from: 0, to: far.count, by: 2).map { far[$0] }
        let doubled = slow.flatMap { [$0, $0] }
        let real = FarEnd(rate: Self.rate)
        var written = 0
        farEnd.begin()
        farEnd.setTalking(true)
        let (captured, clean) = Room(delay: .milliseconds(40), jitter: 0).listen(
            far: doubled, near: Self.quiet(far.count), farEnd: real
        ) { buffer in
            while written + 80 <= slow.count,
                Self.start + .samples(Int64(written - 400), rate: 8000) < buffer.time + buffer.duration
            {
                farEnd.played(
                    Array(slow[written..<written + 80]), at: Self.start + .samples(Int64(written), rate: 8000))
                written += 80
            }
            echo.process(&buffer)
        }
        let after = 3 * Self.rate..<clean.count
        let loss = Sound.decibels(captured[after], over: clean[after])
        print("8 kHz speaker: \(loss) dB")
        #expect(loss >= 15)
    }

    @Test func whileNobodyTalksNothingIsTouched() throws {
        let farEnd = FarEnd(rate: Self.rate)
        let echo = try MicrophoneEcho(farEnd: farEnd, rate: Self.rate, channels: 2)
        let duck = MicrophoneDuck(farEnd: farEnd)
        let samples = Sound.voice(seed: 2, rate: Self.rate, count: 640)
        for step in 0..<5 {
            let time = MediaTime.milliseconds(Int64(20 * step))
            var buffer = SampleBuffer(samples: samples, rate: Self.rate, channels: 2, time: time)
            echo.process(&buffer)
            duck.process(&buffer)
            #expect(buffer.samples == samples && buffer.time == time)
        }
    }

    /// No sample gets lost or is made up when somebody begins and ends talking.
    @Test(arguments: [1, 2]) func everySampleComesOutOnce(channels: Int) throws {
        let farEnd = FarEnd(rate: Self.rate)
        let echo = try MicrophoneEcho(farEnd: farEnd, rate: Self.rate, channels: channels)
        farEnd.begin()
        farEnd.played([Int16](repeating: 0, count: 160), at: Self.start)
        var (given, got) = (0, 0)
        var random = SplitMix64(state: 6)
        for step in 0..<500 {
            if step % 50 == 0 { farEnd.setTalking(step % 100 == 0) }
            let count = 1 + random.below(700)
            var buffer = SampleBuffer(
                samples: [Int16](repeating: 100, count: count * channels), rate: Self.rate, channels: channels,
                time: Self.start + .samples(Int64(given), rate: Self.rate))
            // Where its first sample belongs, whatever was held back.
            let expected = Self.start + .samples(Int64(got), rate: Self.rate)
            given += count
            echo.process(&buffer)
            #expect(abs((buffer.time - expected).microseconds) < 2 || buffer.count == 0)
            got += buffer.count
        }
        #expect(given - got < 256)
    }

    @Test func theDelayOfATonesEchoIsNotGuessed() {
        var estimator = DelayEstimator(rate: Self.rate)
        let tone = Sound.tone(440, rate: Self.rate, count: 4 * Self.rate)
        for start in stride(from: 0, to: tone.count - 256, by: 256) {
            _ = estimator.add(near: Array(tone[start..<start + 256]), far: Array(tone[start..<start + 256]))
        }
        #expect(estimator.delay == nil)
    }

    @Test func theMicrophoneDucksWhileTheFarEndIsHeard() {
        let farEnd = FarEnd(rate: Self.rate)
        let duck = MicrophoneDuck(farEnd: farEnd)
        let far = Sound.voice(seed: 1, rate: Self.rate, count: Self.rate) + Self.quiet(Self.rate)
        let near = Sound.tone(300, rate: Self.rate, count: far.count)
        let (captured, clean) = Room(delay: .milliseconds(1000), jitter: 0).listen(
            far: far, near: near, farEnd: farEnd
        ) { duck.process(&$0) }
        #expect(captured.count == clean.count)
        #expect(Sound.decibels(clean[4800..<8000], over: captured[4800..<8000]) < -20)
        #expect(Sound.decibels(clean[26000...], over: captured[26000...]) > -0.1)
    }
}
