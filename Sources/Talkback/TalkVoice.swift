import Codecs
import Media

/// Turns what one talk sends into what the speaker plays: decodes, changes the rate, evens out. Belongs to the thread
/// that plays.
final class TalkVoice {
    let inbox: TalkInbox
    private let rate: Int
    private var jitter: JitterBuffer
    private var decoder: AACDecoder?
    private var converter: RateConverter?
    /// The time of the frame after the last one, in milliseconds, by its own account.
    private var nextFrameTime: Double?
    private var figures = TalkFigures()

    /// A longer hole between two frames is a pause, not a loss.
    static let longestLoss = 500.0

    /// What is left for the network's unevenness by a speaker that is slow itself.
    static let leastDepth = MediaTime.milliseconds(60)

    /// - Parameters:
    ///   - rate: the speaker's.
    ///   - latency: what the speaker adds to every delay.
    init(_ inbox: TalkInbox, rate: Int, settings: TalkSettings, latency: MediaTime) {
        self.inbox = inbox
        self.rate = rate
        let maximum = max(settings.maximum - latency, Self.leastDepth)
        jitter = JitterBuffer(rate: rate, limits: .init(target: settings.target, maximum: maximum))
    }

    /// Nothing will be heard any more.
    var isDrained: Bool { jitter.isDrained }

    /// Takes over what came.
    func gather() {
        // First, so that nothing comes in between.
        let isLast = inbox.isOver
        for arrival in inbox.collect() {
            switch arrival.piece {
            case .samples(let samples, let rate): push(samples, rate: rate, at: arrival.time)
            case .configuration(let config): configure(config)
            case .frame(let data, let time):
                conceal(before: time, at: arrival.time)
                guard let rate = decoder?.rate else { continue }
                var samples: [Int16] = []
                do throws(CodecError) { try decoder?.decode(data, into: &samples) } catch {
                    figures.lostFrames += 1
                    continue
                }
                nextFrameTime = Double(time) + Double(AudioFormat.samplesPerFrame) * 1000 / Double(rate)
                push(samples, rate: rate, at: arrival.time)
            }
        }
        if isLast { jitter.finish() }
    }

    /// The next samples for the speaker.
    ///
    /// - Parameter latency: how long after this they will be heard.
    func next(_ count: Int, at now: MediaTime, latency: MediaTime, speakerUnderruns: Int) -> [Int16] {
        figures.delay = jitter.delay + latency
        if jitter.depth > 0 { figures.longestDelay = max(figures.longestDelay, figures.delay) }
        let samples = jitter.pull(count, at: now)
        let counters = jitter.counters
        figures.played = .samples(counters.played, rate: rate)
        figures.silence = .samples(counters.silence, rate: rate)
        figures.dropped = .samples(counters.dropped, rate: rate)
        figures.underruns = counters.underruns
        figures.speakerUnderruns = speakerUnderruns
        inbox.update(figures)
        return samples
    }

    private func configure(_ config: AudioSpecificConfig) {
        // What cannot be opened cannot be decoded either; each frame counts as lost.
        decoder = try? AACDecoder(config)
        nextFrameTime = nil
    }

    private func push(_ samples: [Int16], rate: Int, at time: MediaTime) {
        figures.rate = rate
        guard rate != self.rate else { return jitter.push(samples, at: time) }
        if converter?.input != rate { converter = try? RateConverter(from: rate, to: self.rate) }
        var converted: [Int16] = []
        converter?.convert(samples, into: &converted)
        jitter.push(converted, at: time)
    }

    /// Holds the place of frames that should have come before the one of `time`.
    private func conceal(before time: UInt32, at now: MediaTime) {
        guard let expected = nextFrameTime, let frameRate = decoder?.rate else { return }
        let lost = Double(time) - expected
        let frame = Double(AudioFormat.samplesPerFrame) * 1000 / Double(frameRate)
        // Senders round their times, and some of them badly.
        guard lost > frame / 2, lost <= Self.longestLoss else { return }
        figures.lostFrames += Int((lost / frame).rounded(.up))
        jitter.conceal(Int(lost / 1000 * Double(rate)), at: now)
    }
}
